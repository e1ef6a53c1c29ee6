package dev.peerlane.spec;

import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.Objects;

/**
 * The SMART / Health Information log page, 512 bytes (NVMe Base 2.0, 5.16.1.3; {@link
 * LogPage#SMART}).
 *
 * <p>Wraps a page in the device's format. An emulated device composes the same page by writing the
 * fields.
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>bytes</th><th>field</th><th>meaning</th><th>section</th></tr>
 * <tr><td>0</td><td>CRITICAL_WARNING</td><td>critical warning</td><td>5.16.1.3</td></tr>
 * <tr><td>2:1</td><td>TEMPERATURE</td><td>composite temperature, K</td><td>5.16.1.3</td></tr>
 * <tr><td>3</td><td>SPARE</td><td>available spare, %</td><td>5.16.1.3</td></tr>
 * <tr><td>4</td><td>SPARE_THRESHOLD</td><td>spare threshold, %</td><td>5.16.1.3</td></tr>
 * <tr><td>5</td><td>USED</td><td>life used, %</td><td>5.16.1.3</td></tr>
 * <tr><td>47:32</td><td>DATA_UNITS_READ</td><td>in 1000 * 512 bytes</td><td>5.16.1.3</td></tr>
 * <tr><td>63:48</td><td>DATA_UNITS_WRITTEN</td><td>in 1000 * 512 bytes</td><td>5.16.1.3</td></tr>
 * <tr><td>79:64</td><td>HOST_READS</td><td>read commands</td><td>5.16.1.3</td></tr>
 * <tr><td>95:80</td><td>HOST_WRITES</td><td>write commands</td><td>5.16.1.3</td></tr>
 * <tr><td>111:96</td><td>BUSY_TIME</td><td>busy time, minutes</td><td>5.16.1.3</td></tr>
 * <tr><td>127:112</td><td>POWER_CYCLES</td><td>power cycles</td><td>5.16.1.3</td></tr>
 * <tr><td>143:128</td><td>POWER_ON_HOURS</td><td>power on hours</td><td>5.16.1.3</td></tr>
 * <tr><td>159:144</td><td>UNSAFE_SHUTDOWNS</td><td>unsafe shutdowns</td><td>5.16.1.3</td></tr>
 * <tr><td>175:160</td><td>MEDIA_ERRORS</td><td>media errors</td><td>5.16.1.3</td></tr>
 * <tr><td>191:176</td><td>ERROR_LOG_ENTRIES</td><td>error log entries</td><td>5.16.1.3</td></tr>
 * <tr><td>195:192</td><td>WARNING_TIME</td><td>minutes above WCTEMP</td><td>5.16.1.3</td></tr>
 * <tr><td>199:196</td><td>CRITICAL_TIME</td><td>minutes above CCTEMP</td><td>5.16.1.3</td></tr>
 * <tr><td>215:200</td><td>SENSORS</td><td>8 sensors of 2 bytes, K</td><td>5.16.1.3</td></tr>
 * </table>
 */
public final class SmartLog {
    /** Length of the SMART log page in bytes. */
    public static final int BYTES = 512;

    /** CRITICAL_WARNING: critical warning. */
    public static final WireField CRITICAL_WARNING = new WireField(0, 1);

    /** TEMPERATURE: composite temperature, K. */
    public static final WireField TEMPERATURE = new WireField(1, 2);

    /** SPARE: available spare, %. */
    public static final WireField SPARE = new WireField(3, 1);

    /** SPARE_THRESHOLD: spare threshold, %. */
    public static final WireField SPARE_THRESHOLD = new WireField(4, 1);

    /** USED: life used, %. */
    public static final WireField USED = new WireField(5, 1);

    /** DATA_UNITS_READ: 1000 * 512 bytes read. */
    public static final WireField DATA_UNITS_READ = new WireField(32, 16);

    /** DATA_UNITS_WRITTEN: 1000 * 512 bytes written. */
    public static final WireField DATA_UNITS_WRITTEN = new WireField(48, 16);

    /** HOST_READS: read commands. */
    public static final WireField HOST_READS = new WireField(64, 16);

    /** HOST_WRITES: write commands. */
    public static final WireField HOST_WRITES = new WireField(80, 16);

    /** BUSY_TIME: busy time, minutes. */
    public static final WireField BUSY_TIME = new WireField(96, 16);

    /** POWER_CYCLES: power cycles. */
    public static final WireField POWER_CYCLES = new WireField(112, 16);

    /** POWER_ON_HOURS: power on hours. */
    public static final WireField POWER_ON_HOURS = new WireField(128, 16);

    /** UNSAFE_SHUTDOWNS: unsafe shutdowns. */
    public static final WireField UNSAFE_SHUTDOWNS = new WireField(144, 16);

    /** MEDIA_ERRORS: media errors. */
    public static final WireField MEDIA_ERRORS = new WireField(160, 16);

    /** ERROR_LOG_ENTRIES: error log entries. */
    public static final WireField ERROR_LOG_ENTRIES = new WireField(176, 16);

    /** WARNING_TIME: time above WCTEMP, minutes. */
    public static final WireField WARNING_TIME = new WireField(192, 4);

    /** CRITICAL_TIME: time above CCTEMP, minutes. */
    public static final WireField CRITICAL_TIME = new WireField(196, 4);

    /** SENSORS: 8 temperature sensors of 2 bytes, K. */
    public static final WireField SENSORS = new WireField(200, 16);

    /** Warning: available spare below its threshold. */
    public static final int WARNING_SPARE = 1;

    /** Warning: temperature outside a threshold. */
    public static final int WARNING_TEMPERATURE = 1 << 1;

    /** Warning: reliability degraded. */
    public static final int WARNING_RELIABILITY = 1 << 2;

    /** Warning: all media read only. */
    public static final int WARNING_READ_ONLY = 1 << 3;

    /** Warning: volatile memory backup failed. */
    public static final int WARNING_BACKUP = 1 << 4;

    /** Warning: Persistent Memory Region read only or unreliable. */
    public static final int WARNING_PMR = 1 << 5;

    /** Number of temperature sensors. */
    public static final int SENSOR_COUNT = 8;

    private final MemorySegment page;

    /**
     * Wraps a page. The page is not copied, so a device that writes to it again changes what is
     * read.
     *
     * @throws IllegalArgumentException if the page is too short
     */
    public SmartLog(MemorySegment page) {
        this.page = Wire.requireBytes(page, BYTES, "SMART log page");
    }

    /** Returns the Critical Warning, {@code WARNING_} bits. */
    public int criticalWarning() {
        return CRITICAL_WARNING.readInt(page);
    }

    /** Returns the Composite Temperature, in kelvins. */
    public int temperatureKelvin() {
        return TEMPERATURE.readInt(page);
    }

    /** Returns the Available Spare, in percent. */
    public int availableSparePercent() {
        return SPARE.readInt(page);
    }

    /** Returns the Available Spare Threshold, in percent. */
    public int availableSpareThresholdPercent() {
        return SPARE_THRESHOLD.readInt(page);
    }

    /** Returns the Percentage Used of the life; may exceed 100. */
    public int percentageUsed() {
        return USED.readInt(page);
    }

    /** Returns the Data Units Read, in units of 1000 * 512 bytes. */
    public BigInteger dataUnitsRead() {
        return DATA_UNITS_READ.readBig(page);
    }

    /** Returns the Data Units Written, in units of 1000 * 512 bytes. */
    public BigInteger dataUnitsWritten() {
        return DATA_UNITS_WRITTEN.readBig(page);
    }

    /** Returns the Host Read Commands. A Compare counts as a read. */
    public BigInteger hostReadCommands() {
        return HOST_READS.readBig(page);
    }

    /** Returns the number of Host Write Commands. */
    public BigInteger hostWriteCommands() {
        return HOST_WRITES.readBig(page);
    }

    /** Returns the Controller Busy Time, in minutes. */
    public BigInteger controllerBusyMinutes() {
        return BUSY_TIME.readBig(page);
    }

    /** Returns the number of Power Cycles. */
    public BigInteger powerCycles() {
        return POWER_CYCLES.readBig(page);
    }

    /** Returns the Power On Hours. */
    public BigInteger powerOnHours() {
        return POWER_ON_HOURS.readBig(page);
    }

    /** Returns the number of Unsafe Shutdowns. */
    public BigInteger unsafeShutdowns() {
        return UNSAFE_SHUTDOWNS.readBig(page);
    }

    /** Returns the number of Media and Data Integrity Errors. */
    public BigInteger mediaErrors() {
        return MEDIA_ERRORS.readBig(page);
    }

    /** Returns the Number of Error Information Log Entries over the controller's life. */
    public BigInteger errorLogEntries() {
        return ERROR_LOG_ENTRIES.readBig(page);
    }

    /** Returns the Warning Composite Temperature Time, in minutes. */
    public long warningTemperatureMinutes() {
        return WARNING_TIME.read(page);
    }

    /** Returns the Critical Composite Temperature Time, in minutes. */
    public long criticalTemperatureMinutes() {
        return CRITICAL_TIME.read(page);
    }

    /**
     * Returns the value of temperature sensor {@code index}, 0 to 7, in kelvins; 0 if there is no
     * such sensor.
     */
    public int sensorKelvin(int index) {
        return sensorField(index).readInt(page);
    }

    /** Returns the field of temperature sensor {@code index}, 0 to 7. */
    public static WireField sensorField(int index) {
        int offset = SENSORS.offset() + Objects.checkIndex(index, SENSOR_COUNT) * Short.BYTES;
        return new WireField(offset, Short.BYTES);
    }
}
