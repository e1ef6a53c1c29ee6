package dev.peerlane.spec;

import dev.peerlane.spec.wire.Aqa;
import dev.peerlane.spec.wire.Cc;
import dev.peerlane.spec.wire.Cmbebs;
import dev.peerlane.spec.wire.Cmbloc;
import dev.peerlane.spec.wire.Cmbmsc;
import dev.peerlane.spec.wire.Cmbsts;
import dev.peerlane.spec.wire.Cmbswtp;
import dev.peerlane.spec.wire.Cmbsz;
import dev.peerlane.spec.wire.Crto;
import dev.peerlane.spec.wire.Csts;
import dev.peerlane.spec.wire.Pmrcap;
import dev.peerlane.spec.wire.Pmrctl;
import dev.peerlane.spec.wire.Pmrebs;
import dev.peerlane.spec.wire.Pmrmsc;
import dev.peerlane.spec.wire.Pmrsts;
import dev.peerlane.spec.wire.Pmrswtp;
import org.junit.jupiter.api.Test;

/** Checks that each bit of each register moves exactly one accessor. */
final class RegisterWalkTest {
    @Test
    void capBitsMoveOneFieldEach() {
        WalkingOnes.overLong(Cap::new)
                .bits("MQES", 15, 0, Cap::mqesZ)
                .bit("CQR", 16, Cap::cqr)
                .bits("AMS", 18, 17, Cap::ams)
                .bits("TO", 31, 24, Cap::to)
                .bits("DSTRD", 35, 32, Cap::dstrd)
                .bit("NSSRS", 36, Cap::nssrs)
                .bits("CSS", 44, 37, Cap::css)
                .bit("BPS", 45, Cap::bps)
                .bits("CPS", 47, 46, Cap::cps)
                .bits("MPSMIN", 51, 48, Cap::mpsmin)
                .bits("MPSMAX", 55, 52, Cap::mpsmax)
                .bit("PMRS", 56, Cap::pmrs)
                .bit("CMBS", 57, Cap::cmbs)
                .bit("NSSS", 58, Cap::nsss)
                .bits("CRMS", 60, 59, Cap::crms)
                .check();
    }

    @Test
    void vsBitsMoveOneFieldEach() {
        WalkingOnes.overInt(Vs::new)
                .bits("TER", 7, 0, Vs::ter)
                .bits("MNR", 15, 8, Vs::mnr)
                .bits("MJR", 31, 16, Vs::mjr)
                .check();
    }

    @Test
    void ccBitsMoveOneFieldEach() {
        WalkingOnes.overInt(Cc::new)
                .bit("EN", 0, Cc::en)
                .bits("CSS", 6, 4, Cc::css)
                .bits("MPS", 10, 7, Cc::mps)
                .bits("AMS", 13, 11, Cc::ams)
                .bits("SHN", 15, 14, Cc::shn)
                .bits("IOSQES", 19, 16, Cc::iosqes)
                .bits("IOCQES", 23, 20, Cc::iocqes)
                .bit("CRIME", 24, Cc::crime)
                .check();
    }

    @Test
    void cstsBitsMoveOneFieldEach() {
        WalkingOnes.overInt(Csts::new)
                .bit("RDY", 0, Csts::rdy)
                .bit("CFS", 1, Csts::cfs)
                .bits("SHST", 3, 2, Csts::shst)
                .bit("NSSRO", 4, Csts::nssro)
                .bit("PP", 5, Csts::pp)
                .bit("ST", 6, Csts::st)
                .check();
    }

    @Test
    void aqaAndCrtoBitsMoveOneFieldEach() {
        WalkingOnes.overInt(Aqa::new)
                .bits("ASQS", 11, 0, Aqa::asqsZ)
                .bits("ACQS", 27, 16, Aqa::acqsZ)
                .check();
        WalkingOnes.overInt(Crto::new)
                .bits("CRWMT", 15, 0, Crto::crwmt)
                .bits("CRIMT", 31, 16, Crto::crimt)
                .check();
    }

    @Test
    void cmbBitsMoveOneFieldEach() {
        WalkingOnes.overInt(Cmbloc::new)
                .bits("BIR", 2, 0, Cmbloc::bir)
                .bit("CQMMS", 3, Cmbloc::cqmms)
                .bit("CQPDS", 4, Cmbloc::cqpds)
                .bit("CDPMLS", 5, Cmbloc::cdpmls)
                .bit("CDPCILS", 6, Cmbloc::cdpcils)
                .bit("CDMMMS", 7, Cmbloc::cdmmms)
                .bit("CQDA", 8, Cmbloc::cqda)
                .bits("OFST", 31, 12, Cmbloc::ofst)
                .check();
        WalkingOnes.overInt(Cmbsz::new)
                .bit("SQS", 0, Cmbsz::sqs)
                .bit("CQS", 1, Cmbsz::cqs)
                .bit("LISTS", 2, Cmbsz::lists)
                .bit("RDS", 3, Cmbsz::rds)
                .bit("WDS", 4, Cmbsz::wds)
                .bits("SZU", 11, 8, Cmbsz::szu)
                .bits("SZ", 31, 12, Cmbsz::sz)
                .check();
        WalkingOnes.overLong(Cmbmsc::new)
                .bit("CRE", 0, Cmbmsc::cre)
                .bit("CMSE", 1, Cmbmsc::cmse)
                .bits("CBA", 63, 12, Cmbmsc::cba)
                .check();
        WalkingOnes.overInt(Cmbsts::new).bit("CBAI", 0, Cmbsts::cbai).check();
        WalkingOnes.overInt(Cmbebs::new)
                .bits("CMBSZU", 3, 0, Cmbebs::cmbszu)
                .bit("CMBRBB", 4, Cmbebs::cmbrbb)
                .bits("CMBWBZ", 31, 8, Cmbebs::cmbwbz)
                .check();
        WalkingOnes.overInt(Cmbswtp::new)
                .bits("CMBSWTU", 3, 0, Cmbswtp::cmbswtu)
                .bits("CMBSWTV", 31, 8, Cmbswtp::cmbswtv)
                .check();
    }

    @Test
    void pmrBitsMoveOneFieldEach() {
        WalkingOnes.overInt(Pmrcap::new)
                .bit("RDS", 3, Pmrcap::rds)
                .bit("WDS", 4, Pmrcap::wds)
                .bits("BIR", 7, 5, Pmrcap::bir)
                .bits("PMRTU", 9, 8, Pmrcap::pmrtu)
                .bits("PMRWBM", 13, 10, Pmrcap::pmrwbm)
                .bits("PMRTO", 23, 16, Pmrcap::pmrto)
                .bit("CMSS", 24, Pmrcap::cmss)
                .check();
        WalkingOnes.overInt(Pmrctl::new).bit("EN", 0, Pmrctl::en).check();
        WalkingOnes.overInt(Pmrsts::new)
                .bits("ERR", 7, 0, Pmrsts::err)
                .bit("NRDY", 8, Pmrsts::nrdy)
                .bits("HSTS", 11, 9, Pmrsts::hsts)
                .bit("CBAI", 12, Pmrsts::cbai)
                .check();
        WalkingOnes.overInt(Pmrebs::new)
                .bits("PMRSZU", 3, 0, Pmrebs::pmrszu)
                .bit("RBB", 4, Pmrebs::rbb)
                .bits("PMRWBZ", 31, 8, Pmrebs::pmrwbz)
                .check();
        WalkingOnes.overInt(Pmrswtp::new)
                .bits("PMRSWTU", 3, 0, Pmrswtp::pmrswtu)
                .bits("PMRSWTV", 31, 8, Pmrswtp::pmrswtv)
                .check();
        WalkingOnes.overLong(Pmrmsc::new)
                .bit("CMSE", 1, Pmrmsc::cmse)
                .bits("CBA", 63, 12, Pmrmsc::cba)
                .check();
    }

    @Test
    void asyncEventBitsMoveOneFieldEach() {
        WalkingOnes.overInt(AsyncEvent::new)
                .bits("type", 2, 0, AsyncEvent::type)
                .bits("information", 15, 8, AsyncEvent::info)
                .bits("log page", 23, 16, AsyncEvent::lid)
                .check();
    }

    @Test
    void lbaFormatBitsMoveOneFieldEach() {
        WalkingOnes.overInt(LbaFormat::new)
                .bits("MS", 15, 0, LbaFormat::ms)
                .bits("LBADS", 23, 16, LbaFormat::lbads)
                .bits("RP", 25, 24, LbaFormat::rp)
                .check();
    }

    @Test
    void oncsBitsMoveOneFieldEach() {
        WalkingOnes.overInt(Oncs::new)
                .bit("compare", 0, Oncs::compare)
                .bit("write uncorrectable", 1, Oncs::writeUncorrectable)
                .bit("dataset management", 2, Oncs::dsm)
                .bit("write zeroes", 3, Oncs::writeZeroes)
                .bit("save and select", 4, Oncs::saveSelect)
                .bit("reservations", 5, Oncs::reservations)
                .bit("timestamp", 6, Oncs::timestamp)
                .bit("verify", 7, Oncs::verify)
                .bit("copy", 8, Oncs::copy)
                .check();
    }
}
