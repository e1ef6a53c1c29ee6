package dev.peerlane.spec;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Checks that each bit of each page moves exactly one accessor. */
final class PageWalkTest {
    @Test
    void identifyControllerBitsMoveOneFieldEach() {
        MemorySegment page = MemorySegment.ofArray(new byte[IdentifyController.BYTES]);
        // Text fields start with a printable letter, because blanks and zeroes would be trimmed.
        page.asSlice(4, 68).fill((byte) '@');
        page.asSlice(768, 256).fill((byte) '@');
        WalkingOnes.overBytes(page, IdentifyController::new)
                .bytes("vid", 0, 2, IdentifyController::vid)
                .bytes("ssvid", 2, 2, IdentifyController::ssvid)
                .bytes("sn", 4, 20, IdentifyController::sn)
                .bytes("mn", 24, 40, IdentifyController::mn)
                .bytes("fr", 64, 8, IdentifyController::fr)
                .bytes("cmic", 76, 1, IdentifyController::cmic)
                .bytes("mdts", 77, 1, IdentifyController::mdts)
                .bytes("cntlid", 78, 2, IdentifyController::cntlid)
                .bytes("ver", 80, 4, IdentifyController::ver)
                .bytes("rtd3e", 88, 4, IdentifyController::rtd3e)
                .bytes("oaes", 92, 4, IdentifyController::oaes)
                .bytes("ctratt", 96, 4, IdentifyController::ctratt)
                .bytes("cntrltype", 111, 1, IdentifyController::cntrltype)
                .bytes("crdt1", 128, 2, IdentifyController::crdt1)
                .bytes("crdt2", 130, 2, IdentifyController::crdt2)
                .bytes("crdt3", 132, 2, IdentifyController::crdt3)
                .bytes("oacs", 256, 2, IdentifyController::oacs)
                .bytes("aclZ", 258, 1, IdentifyController::aclZ)
                .bytes("aerlZ", 259, 1, IdentifyController::aerlZ)
                .bytes("lpa", 261, 1, IdentifyController::lpa)
                .bytes("elpeZ", 262, 1, IdentifyController::elpeZ)
                .bytes("wctemp", 266, 2, IdentifyController::wctemp)
                .bytes("cctemp", 268, 2, IdentifyController::cctemp)
                .bytes("sqes", 512, 1, IdentifyController::sqes)
                .bytes("cqes", 513, 1, IdentifyController::cqes)
                .bytes("maxcmd", 514, 2, IdentifyController::maxcmd)
                .bytes("nn", 516, 4, IdentifyController::nn)
                .bytes("oncs", 520, 2, IdentifyController::oncs)
                .bytes("fuses", 522, 2, IdentifyController::fuses)
                .bytes("fna", 524, 1, IdentifyController::fna)
                .bytes("vwc", 525, 1, IdentifyController::vwc)
                .bytes("awunZ", 526, 2, IdentifyController::awunZ)
                .bytes("awupfZ", 528, 2, IdentifyController::awupfZ)
                .bytes("nwpc", 531, 1, IdentifyController::nwpc)
                .bytes("acwuZ", 532, 2, IdentifyController::acwuZ)
                .bytes("ocfs", 534, 2, IdentifyController::ocfs)
                .bytes("sgls", 536, 4, IdentifyController::sgls)
                .bytes("mnan", 540, 4, IdentifyController::mnan)
                .bytes("subnqn", 768, 256, IdentifyController::subnqn)
                .check();
    }

    @Test
    void identifyNamespaceBitsMoveOneFieldEach() {
        MemorySegment page = MemorySegment.ofArray(new byte[IdentifyNamespace.BYTES]);
        WalkingOnes<IdentifyNamespace> walk =
                WalkingOnes.overBytes(page, IdentifyNamespace::new)
                        .bytes("nsze", 0, 8, IdentifyNamespace::nsze)
                        .bytes("ncap", 8, 8, IdentifyNamespace::ncap)
                        .bytes("nuse", 16, 8, IdentifyNamespace::nuse)
                        .bytes("nsfeat", 24, 1, IdentifyNamespace::nsfeat)
                        .bytes("nlbafZ", 25, 1, IdentifyNamespace::nlbafZ)
                        .bytes("flbas", 26, 1, IdentifyNamespace::flbas)
                        .bytes("mc", 27, 1, IdentifyNamespace::mc)
                        .bytes("dpc", 28, 1, IdentifyNamespace::dpc)
                        .bytes("dps", 29, 1, IdentifyNamespace::dps)
                        .bytes("nmic", 30, 1, IdentifyNamespace::nmic)
                        .bytes("rescap", 31, 1, IdentifyNamespace::rescap)
                        .bytes("fpi", 32, 1, IdentifyNamespace::fpi)
                        .bytes("dlfeat", 33, 1, IdentifyNamespace::dlfeat)
                        .bytes("nawunZ", 34, 2, IdentifyNamespace::nawunZ)
                        .bytes("nawupfZ", 36, 2, IdentifyNamespace::nawupfZ)
                        .bytes("nacwuZ", 38, 2, IdentifyNamespace::nacwuZ)
                        .bytes("nabsnZ", 40, 2, IdentifyNamespace::nabsnZ)
                        .bytes("nabo", 42, 2, IdentifyNamespace::nabo)
                        .bytes("nabspfZ", 44, 2, IdentifyNamespace::nabspfZ)
                        .bytes("noiob", 46, 2, IdentifyNamespace::noiob)
                        .bytes("nvmcapBytes", 48, 16, IdentifyNamespace::nvmcapBytes)
                        .bytes("npwgZ", 64, 2, IdentifyNamespace::npwgZ)
                        .bytes("npwaZ", 66, 2, IdentifyNamespace::npwaZ)
                        .bytes("npdgZ", 68, 2, IdentifyNamespace::npdgZ)
                        .bytes("npdaZ", 70, 2, IdentifyNamespace::npdaZ)
                        .bytes("nowsZ", 72, 2, IdentifyNamespace::nowsZ)
                        .bytes("mssrl", 74, 2, IdentifyNamespace::mssrl)
                        .bytes("mcl", 76, 4, IdentifyNamespace::mcl)
                        .bytes("msrcZ", 80, 1, IdentifyNamespace::msrcZ)
                        .bytes("nulbaf", 81, 1, IdentifyNamespace::nulbaf)
                        .bytes("nsattr", 99, 1, IdentifyNamespace::nsattr)
                        .bytes("nvmsetid", 100, 2, IdentifyNamespace::nvmsetid)
                        .bytes("endgid", 102, 2, IdentifyNamespace::endgid)
                        .bytes("nguid", 104, 16, IdentifyNamespace::nguid)
                        .bytes("eui64", 120, 8, IdentifyNamespace::eui64);
        IntStream.range(0, 64)
                .forEach(i -> walk.bytes("LBAF" + i, 128 + 4 * i, 4, ns -> ns.lbaf(i).raw()));
        walk.check();
    }

    @Test
    void smartLogBitsMoveOneFieldEach() {
        MemorySegment page = MemorySegment.ofArray(new byte[SmartLog.BYTES]);
        WalkingOnes<SmartLog> walk =
                WalkingOnes.overBytes(page, SmartLog::new)
                        .bytes("criticalWarning", 0, 1, SmartLog::criticalWarning)
                        .bytes("temperatureKelvin", 1, 2, SmartLog::temperatureKelvin)
                        .bytes("availableSparePercent", 3, 1, SmartLog::availableSparePercent)
                        .bytes(
                                "availableSpareThresholdPercent",
                                4,
                                1,
                                SmartLog::availableSpareThresholdPercent)
                        .bytes("percentageUsed", 5, 1, SmartLog::percentageUsed)
                        .bytes("dataUnitsRead", 32, 16, SmartLog::dataUnitsRead)
                        .bytes("dataUnitsWritten", 48, 16, SmartLog::dataUnitsWritten)
                        .bytes("hostReadCommands", 64, 16, SmartLog::hostReadCommands)
                        .bytes("hostWriteCommands", 80, 16, SmartLog::hostWriteCommands)
                        .bytes("controllerBusyMinutes", 96, 16, SmartLog::controllerBusyMinutes)
                        .bytes("powerCycles", 112, 16, SmartLog::powerCycles)
                        .bytes("powerOnHours", 128, 16, SmartLog::powerOnHours)
                        .bytes("unsafeShutdowns", 144, 16, SmartLog::unsafeShutdowns)
                        .bytes("mediaErrors", 160, 16, SmartLog::mediaErrors)
                        .bytes("errorLogEntries", 176, 16, SmartLog::errorLogEntries)
                        .bytes(
                                "warningTemperatureMinutes",
                                192,
                                4,
                                SmartLog::warningTemperatureMinutes)
                        .bytes(
                                "criticalTemperatureMinutes",
                                196,
                                4,
                                SmartLog::criticalTemperatureMinutes);
        IntStream.range(0, 8)
                .forEach(i -> walk.bytes("sensor" + i, 200 + 2 * i, 2, s -> s.sensorKelvin(i)));
        walk.check();
    }

    @Test
    void errorLogEntryBitsMoveOneFieldEach() {
        MemorySegment page = MemorySegment.ofArray(new byte[ErrorLogEntry.BYTES]);
        WalkingOnes.overBytes(page, ErrorLogEntry::new)
                .bytes("errorCount", 0, 8, ErrorLogEntry::errorCount)
                .bytes("sqid", 8, 2, ErrorLogEntry::sqid)
                .bytes("cid", 10, 2, ErrorLogEntry::cid)
                .bytes("parameterErrorLocation", 14, 2, ErrorLogEntry::parameterErrorLocation)
                .bytes("lba", 16, 8, ErrorLogEntry::lba)
                .bytes("nsid", 24, 4, ErrorLogEntry::nsid)
                .bytes("vendorLogPage", 28, 1, ErrorLogEntry::vendorLogPage)
                .bytes("trtype", 29, 1, ErrorLogEntry::trtype)
                .bytes("commandInfo", 32, 8, ErrorLogEntry::commandInfo)
                .bit("phase", 96, ErrorLogEntry::phase)
                .bits("status", 111, 97, ErrorLogEntry::status)
                .check();
    }
}
