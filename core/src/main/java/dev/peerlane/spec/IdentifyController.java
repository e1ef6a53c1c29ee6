package dev.peerlane.spec;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemorySegment;

/**
 * The Identify Controller data structure, 4096 bytes (NVMe Base 2.0, 5.17.2.1).
 *
 * <p>Wraps a page in the device's format. An emulated device composes the same page by writing the
 * fields: {@code IdentifyController.MDTS.write(page, 5)}.
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>bytes</th><th>field</th><th>meaning</th><th>section</th></tr>
 * <tr><td>1:0</td><td>VID</td><td>PCI Vendor ID</td><td>5.17.2.1</td></tr>
 * <tr><td>3:2</td><td>SSVID</td><td>PCI Subsystem Vendor ID</td><td>5.17.2.1</td></tr>
 * <tr><td>23:4</td><td>SN</td><td>Serial Number, ASCII</td><td>5.17.2.1</td></tr>
 * <tr><td>63:24</td><td>MN</td><td>Model Number, ASCII</td><td>5.17.2.1</td></tr>
 * <tr><td>71:64</td><td>FR</td><td>Firmware Revision, ASCII</td><td>5.17.2.1</td></tr>
 * <tr><td>76</td><td>CMIC</td><td>multi-path and sharing</td><td>5.17.2.1</td></tr>
 * <tr><td>77</td><td>MDTS</td><td>Maximum Data Transfer Size</td><td>5.17.2.1</td></tr>
 * <tr><td>79:78</td><td>CNTLID</td><td>Controller ID</td><td>5.17.2.1</td></tr>
 * <tr><td>83:80</td><td>VER</td><td>Version, as VS</td><td>5.17.2.1</td></tr>
 * <tr><td>91:88</td><td>RTD3E</td><td>RTD3 Entry Latency</td><td>5.17.2.1</td></tr>
 * <tr><td>95:92</td><td>OAES</td><td>optional events</td><td>5.17.2.1</td></tr>
 * <tr><td>99:96</td><td>CTRATT</td><td>controller attributes</td><td>5.17.2.1</td></tr>
 * <tr><td>111</td><td>CNTRLTYPE</td><td>controller type</td><td>5.17.2.1</td></tr>
 * <tr><td>129:128</td><td>CRDT1</td><td>retry delay of CRD 1</td><td>5.17.2.1</td></tr>
 * <tr><td>131:130</td><td>CRDT2</td><td>retry delay of CRD 2</td><td>5.17.2.1</td></tr>
 * <tr><td>133:132</td><td>CRDT3</td><td>retry delay of CRD 3</td><td>5.17.2.1</td></tr>
 * <tr><td>257:256</td><td>OACS</td><td>optional admin commands</td><td>5.17.2.1</td></tr>
 * <tr><td>258</td><td>ACL</td><td>Abort Command Limit, zero based</td><td>5.17.2.1</td></tr>
 * <tr><td>259</td><td>AERL</td><td>event request limit, zero based</td><td>5.17.2.1</td></tr>
 * <tr><td>261</td><td>LPA</td><td>log page attributes</td><td>5.17.2.1</td></tr>
 * <tr><td>262</td><td>ELPE</td><td>error log entries, zero based</td><td>5.17.2.1</td></tr>
 * <tr><td>267:266</td><td>WCTEMP</td><td>warning temperature, K</td><td>5.17.2.1</td></tr>
 * <tr><td>269:268</td><td>CCTEMP</td><td>critical temperature, K</td><td>5.17.2.1</td></tr>
 * <tr><td>512</td><td>SQES</td><td>submission entry sizes</td><td>5.17.2.1</td></tr>
 * <tr><td>513</td><td>CQES</td><td>completion entry sizes</td><td>5.17.2.1</td></tr>
 * <tr><td>515:514</td><td>MAXCMD</td><td>outstanding commands</td><td>5.17.2.1</td></tr>
 * <tr><td>519:516</td><td>NN</td><td>largest NSID</td><td>5.17.2.1</td></tr>
 * <tr><td>521:520</td><td>ONCS</td><td>optional NVM commands</td><td>5.17.2.1</td></tr>
 * <tr><td>523:522</td><td>FUSES</td><td>fused operations</td><td>5.17.2.1</td></tr>
 * <tr><td>524</td><td>FNA</td><td>Format NVM attributes</td><td>5.17.2.1</td></tr>
 * <tr><td>525</td><td>VWC</td><td>volatile write cache</td><td>5.17.2.1</td></tr>
 * <tr><td>527:526</td><td>AWUN</td><td>atomic write unit, zero based</td><td>5.17.2.1</td></tr>
 * <tr><td>529:528</td><td>AWUPF</td><td>AWUN at power fail, zero based</td><td>5.17.2.1</td></tr>
 * <tr><td>531</td><td>NWPC</td><td>write protection</td><td>5.17.2.1</td></tr>
 * <tr><td>533:532</td><td>ACWU</td><td>Compare and Write, zero based</td><td>5.17.2.1</td></tr>
 * <tr><td>535:534</td><td>OCFS</td><td>copy formats</td><td>5.17.2.1</td></tr>
 * <tr><td>539:536</td><td>SGLS</td><td>SGL support</td><td>5.17.2.1</td></tr>
 * <tr><td>543:540</td><td>MNAN</td><td>allowed namespaces</td><td>5.17.2.1</td></tr>
 * <tr><td>1023:768</td><td>SUBNQN</td><td>NVM subsystem NQN</td><td>5.17.2.1</td></tr>
 * </table>
 */
public final class IdentifyController {
    /** Length of the Identify Controller page in bytes. */
    public static final int BYTES = 4096;

    /** VID: PCI Vendor ID. */
    public static final WireField VID = new WireField(0, 2);

    /** SSVID: PCI Subsystem Vendor ID. */
    public static final WireField SSVID = new WireField(2, 2);

    /** SN: Serial Number, ASCII. */
    public static final WireField SN = new WireField(4, 20);

    /** MN: Model Number, ASCII. */
    public static final WireField MN = new WireField(24, 40);

    /** FR: Firmware Revision, ASCII. */
    public static final WireField FR = new WireField(64, 8);

    /** CMIC: multi-path and sharing. */
    public static final WireField CMIC = new WireField(76, 1);

    /** MDTS: Maximum Data Transfer Size. */
    public static final WireField MDTS = new WireField(77, 1);

    /** CNTLID: Controller ID. */
    public static final WireField CNTLID = new WireField(78, 2);

    /** VER: Version, as VS. */
    public static final WireField VER = new WireField(80, 4);

    /** RTD3E: RTD3 Entry Latency. */
    public static final WireField RTD3E = new WireField(88, 4);

    /** OAES: optional events. */
    public static final WireField OAES = new WireField(92, 4);

    /** CTRATT: controller attributes. */
    public static final WireField CTRATT = new WireField(96, 4);

    /** CNTRLTYPE: controller type. */
    public static final WireField CNTRLTYPE = new WireField(111, 1);

    /** CRDT1: retry delay of CRD 1. */
    public static final WireField CRDT1 = new WireField(128, 2);

    /** CRDT2: retry delay of CRD 2. */
    public static final WireField CRDT2 = new WireField(130, 2);

    /** CRDT3: retry delay of CRD 3. */
    public static final WireField CRDT3 = new WireField(132, 2);

    /** OACS: optional admin commands. */
    public static final WireField OACS = new WireField(256, 2);

    /** ACL: Abort Command Limit, zero based. */
    public static final WireField ACL = new WireField(258, 1);

    /** AERL: event request limit, zero based. */
    public static final WireField AERL = new WireField(259, 1);

    /** LPA: log page attributes. */
    public static final WireField LPA = new WireField(261, 1);

    /** ELPE: error log entries, zero based. */
    public static final WireField ELPE = new WireField(262, 1);

    /** WCTEMP: warning temperature, K. */
    public static final WireField WCTEMP = new WireField(266, 2);

    /** CCTEMP: critical temperature, K. */
    public static final WireField CCTEMP = new WireField(268, 2);

    /** SQES: submission entry sizes. */
    public static final WireField SQES = new WireField(512, 1);

    /** CQES: completion entry sizes. */
    public static final WireField CQES = new WireField(513, 1);

    /** MAXCMD: outstanding commands. */
    public static final WireField MAXCMD = new WireField(514, 2);

    /** NN: largest NSID. */
    public static final WireField NN = new WireField(516, 4);

    /** ONCS: optional NVM commands. */
    public static final WireField ONCS = new WireField(520, 2);

    /** FUSES: fused operations. */
    public static final WireField FUSES = new WireField(522, 2);

    /** FNA: Format NVM attributes. */
    public static final WireField FNA = new WireField(524, 1);

    /** VWC: volatile write cache. */
    public static final WireField VWC = new WireField(525, 1);

    /** AWUN: atomic write unit, zero based. */
    public static final WireField AWUN = new WireField(526, 2);

    /** AWUPF: AWUN at power fail, zero based. */
    public static final WireField AWUPF = new WireField(528, 2);

    /** NWPC: write protection. */
    public static final WireField NWPC = new WireField(531, 1);

    /** ACWU: Compare and Write, zero based. */
    public static final WireField ACWU = new WireField(532, 2);

    /** OCFS: copy formats. */
    public static final WireField OCFS = new WireField(534, 2);

    /** OACS: Doorbell Buffer Config. */
    public static final int OACS_DOORBELL_BUFFER = 1 << 8;

    /** {@link #sglSupport}: data blocks may have any alignment. */
    public static final int SGL_BYTES = 1;

    /** {@link #sglSupport}: addresses and lengths are multiples of 4. */
    public static final int SGL_DWORDS = 2;

    /** SGLS: SGL support. */
    public static final WireField SGLS = new WireField(536, 4);

    /** MNAN: allowed namespaces. */
    public static final WireField MNAN = new WireField(540, 4);

    /** SUBNQN: NVM subsystem NQN. */
    public static final WireField SUBNQN = new WireField(768, 256);

    private static final int MAX_SANE_MDTS = 31;

    private final MemorySegment page;

    /**
     * Wraps a page. The page is not copied, so a device that writes to it again changes what is
     * read.
     *
     * @throws IllegalArgumentException if the page is too short
     */
    public IdentifyController(MemorySegment page) {
        this.page = Wire.requireBytes(page, BYTES, "Identify Controller page");
    }

    /** Returns the PCI Vendor ID. */
    public int vid() {
        return VID.readInt(page);
    }

    /** Returns the PCI Subsystem Vendor ID. */
    public int ssvid() {
        return SSVID.readInt(page);
    }

    /** Returns the Serial Number, trimmed. */
    public String sn() {
        return SN.readText(page);
    }

    /** Returns the Model Number, trimmed. */
    public String mn() {
        return MN.readText(page);
    }

    /** Returns the Firmware Revision, trimmed. */
    public String fr() {
        return FR.readText(page);
    }

    /** Returns the Controller Multi-Path I/O and Namespace Sharing Capabilities. */
    public int cmic() {
        return CMIC.readInt(page);
    }

    /**
     * Returns the Maximum Data Transfer Size, raw: a power of two of CAP.MPSMIN pages; 0 for no
     * limit.
     */
    public int mdts() {
        return MDTS.readInt(page);
    }

    /** Returns the Controller ID. */
    public int cntlid() {
        return CNTLID.readInt(page);
    }

    /** Returns the RTD3 Entry Latency, in microseconds: how long a shutdown may take. */
    public long rtd3e() {
        return RTD3E.read(page);
    }

    /** Returns the Optional Asynchronous Events Supported. */
    public int oaes() {
        return OAES.readInt(page);
    }

    /** Returns the Controller Attributes. */
    public int ctratt() {
        return CTRATT.readInt(page);
    }

    /** Returns the Controller Type: 1 I/O, 2 discovery, 3 administrative; 0 if not reported. */
    public int cntrltype() {
        return CNTRLTYPE.readInt(page);
    }

    /** Returns the Command Retry Delay Time 1, in units of 100 ms. */
    public int crdt1() {
        return CRDT1.readInt(page);
    }

    /** Returns the Command Retry Delay Time 2, in units of 100 ms. */
    public int crdt2() {
        return CRDT2.readInt(page);
    }

    /** Returns the Command Retry Delay Time 3, in units of 100 ms. */
    public int crdt3() {
        return CRDT3.readInt(page);
    }

    /** Returns the Optional Admin Command Support. */
    public int oacs() {
        return OACS.readInt(page);
    }

    /** Returns the Abort Command Limit, zero based. */
    public int aclZ() {
        return ACL.readInt(page);
    }

    /** Returns the Asynchronous Event Request Limit, zero based. */
    public int aerlZ() {
        return AERL.readInt(page);
    }

    /** Returns the Log Page Attributes. */
    public int lpa() {
        return LPA.readInt(page);
    }

    /** Returns the Error Log Page Entries, zero based. */
    public int elpeZ() {
        return ELPE.readInt(page);
    }

    /** Returns the Warning Composite Temperature Threshold, in kelvins; 0 if not reported. */
    public int wctemp() {
        return WCTEMP.readInt(page);
    }

    /** Returns the Critical Composite Temperature Threshold, in kelvins; 0 if not reported. */
    public int cctemp() {
        return CCTEMP.readInt(page);
    }

    /** Returns the Submission Queue Entry Size, as powers of two: required 3:0, maximum 7:4. */
    public int sqes() {
        return SQES.readInt(page);
    }

    /** Returns the Completion Queue Entry Size, as powers of two: required 3:0, maximum 7:4. */
    public int cqes() {
        return CQES.readInt(page);
    }

    /** Returns the Maximum Outstanding Commands; 0 if not reported. */
    public int maxcmd() {
        return MAXCMD.readInt(page);
    }

    /** Returns the Number of Namespaces (NN): the largest valid NSID. */
    public long nn() {
        return NN.read(page);
    }

    /** Returns the Fused Operation Support. */
    public int fuses() {
        return FUSES.readInt(page);
    }

    /** Returns the Format NVM Attributes. */
    public int fna() {
        return FNA.readInt(page);
    }

    /** Returns the Volatile Write Cache field. */
    public int vwc() {
        return VWC.readInt(page);
    }

    /** Returns the Atomic Write Unit Normal, in blocks, zero based. */
    public int awunZ() {
        return AWUN.readInt(page);
    }

    /** Returns the Atomic Write Unit Power Fail, in blocks, zero based. */
    public int awupfZ() {
        return AWUPF.readInt(page);
    }

    /** Returns the Namespace Write Protection Capabilities. */
    public int nwpc() {
        return NWPC.readInt(page);
    }

    /** Returns the Atomic Compare and Write Unit, in blocks, zero based. */
    public int acwuZ() {
        return ACWU.readInt(page);
    }

    /** Returns the Optional Copy Formats Supported, a bit for each format. */
    public int ocfs() {
        return OCFS.readInt(page);
    }

    /** Returns the SGL Support. */
    public int sgls() {
        return SGLS.readInt(page);
    }

    /** Returns the Maximum Number of Allowed Namespaces; 0 means as many as NN. */
    public long mnan() {
        return MNAN.read(page);
    }

    /** Returns the NVM Subsystem NVMe Qualified Name. */
    public String subnqn() {
        return SUBNQN.readText(page);
    }

    /** Returns the version of the specification that the controller implements. */
    public Vs ver() {
        return new Vs(VER.readInt(page));
    }

    /** Returns the Optional NVM Command Support. */
    public Oncs oncs() {
        return new Oncs(ONCS.readInt(page));
    }

    /**
     * Returns the largest data transfer of one command.
     *
     * @param minPageBytes {@link Cap#minPageBytes()}, the unit; not the page size of CC.MPS
     * @return bytes; {@link Long#MAX_VALUE} if there is no limit, or one that can't be reached
     */
    public long maxTransferBytes(int minPageBytes) {
        int mdts = mdts();
        boolean limited = mdts != 0 && mdts <= MAX_SANE_MDTS;
        return limited ? (long) minPageBytes << mdts : Long.MAX_VALUE;
    }

    /** Returns the number of Abort commands that may be outstanding. */
    public int abortLimit() {
        return aclZ() + 1;
    }

    /** Returns the number of Asynchronous Event Requests that may be outstanding. */
    public int asyncEventLimit() {
        return aerlZ() + 1;
    }

    /** Returns the number of entries of the error log. */
    public int errorLogEntries() {
        return elpeZ() + 1;
    }

    /**
     * Returns the length of a required submission queue entry in bytes: 64 with the NVM command
     * set.
     */
    public int requiredSqeBytes() {
        return 1 << Bits.get(sqes(), 3, 0);
    }

    /** Returns the length of the longest submission queue entry in bytes. */
    public int maxSqeBytes() {
        return 1 << Bits.get(sqes(), 7, 4);
    }

    /**
     * Returns the length of a required completion queue entry in bytes: 16 with the NVM command
     * set.
     */
    public int requiredCqeBytes() {
        return 1 << Bits.get(cqes(), 3, 0);
    }

    /** Returns the length of the longest completion queue entry in bytes. */
    public int maxCqeBytes() {
        return 1 << Bits.get(cqes(), 7, 4);
    }

    /**
     * Returns what a Flush with NSID FFFFFFFFh does: 0 not stated, 2 refused, 3 flushes all
     * namespaces.
     */
    public int flushAllBehavior() {
        return Bits.get(vwc(), 2, 1);
    }

    /**
     * Returns the SGL support: 0 none, {@link #SGL_BYTES} or {@link #SGL_DWORDS}; 3 is reserved.
     */
    public int sglSupport() {
        return Bits.get(sgls(), 1, 0);
    }

    /** Returns whether the NVM subsystem may have more than one port. */
    public boolean isMultiPort() {
        return Bits.bit(cmic(), 0);
    }

    /** Returns whether the NVM subsystem may have more than one controller. */
    public boolean isMultiController() {
        return Bits.bit(cmic(), 1);
    }

    /** Returns whether Asymmetric Namespace Access Reporting is supported. */
    public boolean hasAna() {
        return Bits.bit(cmic(), 3);
    }

    /** Returns whether MDTS and size limits exclude metadata. */
    public boolean mdtsExcludesMetadata() {
        return Bits.bit(ctratt(), 16);
    }

    /** Returns whether Format NVM is supported. */
    public boolean supportsFormat() {
        return Bits.bit(oacs(), 1);
    }

    /** Returns whether Namespace Management and Attachment are supported. */
    public boolean supportsNamespaceManagement() {
        return Bits.bit(oacs(), 3);
    }

    /** Returns whether Doorbell Buffer Config is supported. */
    public boolean supportsDoorbellBuffer() {
        return Bits.bit(oacs(), 8);
    }

    /** Returns whether Get LBA Status is supported. */
    public boolean supportsGetLbaStatus() {
        return Bits.bit(oacs(), 9);
    }

    /** Returns whether there is a SMART log page for each namespace. */
    public boolean hasSmartPerNamespace() {
        return Bits.bit(lpa(), 0);
    }

    /** Returns whether there is a Commands Supported and Effects log page. */
    public boolean hasCommandEffectsLog() {
        return Bits.bit(lpa(), 1);
    }

    /** Returns whether Get Log Page takes offsets, and lengths of more than 16 bits. */
    public boolean hasExtendedLogData() {
        return Bits.bit(lpa(), 2);
    }

    /** Returns whether Compare and Write can be fused. */
    public boolean fusesCompareAndWrite() {
        return Bits.bit(fuses(), 0);
    }

    /**
     * Returns whether there is a volatile write cache. If so, only a Flush makes writes persistent.
     */
    public boolean hasVolatileWriteCache() {
        return Bits.bit(vwc(), 0);
    }

    /** Returns whether Namespace Attribute Notices are supported. */
    public boolean supportsNamespaceAttributeNotices() {
        return Bits.bit(oaes(), 8);
    }
}
