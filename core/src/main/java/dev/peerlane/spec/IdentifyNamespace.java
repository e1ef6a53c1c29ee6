package dev.peerlane.spec;

import dev.peerlane.Bits;
import dev.peerlane.spec.layout.Wire;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.HexFormat;
import java.util.Objects;

/**
 * The Identify Namespace data structure of the NVM command set, 4096 bytes (NVM Command Set 1.0,
 * 4.1.5.1).
 *
 * <p>Wraps a page in the device's format; all zeroes for an NSID that is not active. A device
 * composes the same page by writing the fields: {@code IdentifyNamespace.NSZE.write(page, blocks)}.
 *
 * <table>
 * <caption>Layout</caption>
 * <tr><th>bytes</th><th>field</th><th>meaning</th><th>section</th></tr>
 * <tr><td>7:0</td><td>NSZE</td><td>size in blocks</td><td>4.1.5.1</td></tr>
 * <tr><td>15:8</td><td>NCAP</td><td>capacity in blocks</td><td>4.1.5.1</td></tr>
 * <tr><td>23:16</td><td>NUSE</td><td>blocks in use</td><td>4.1.5.1</td></tr>
 * <tr><td>24</td><td>NSFEAT</td><td>features</td><td>4.1.5.1</td></tr>
 * <tr><td>25</td><td>NLBAF</td><td>LBA formats, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>26</td><td>FLBAS</td><td>format in use</td><td>4.1.5.1</td></tr>
 * <tr><td>27</td><td>MC</td><td>metadata capabilities</td><td>4.1.5.1</td></tr>
 * <tr><td>28</td><td>DPC</td><td>protection capabilities</td><td>4.1.5.1</td></tr>
 * <tr><td>29</td><td>DPS</td><td>protection in use</td><td>4.1.5.1</td></tr>
 * <tr><td>30</td><td>NMIC</td><td>multi-path and sharing</td><td>4.1.5.1</td></tr>
 * <tr><td>31</td><td>RESCAP</td><td>reservations</td><td>4.1.5.1</td></tr>
 * <tr><td>32</td><td>FPI</td><td>format progress</td><td>4.1.5.1</td></tr>
 * <tr><td>33</td><td>DLFEAT</td><td>what deallocated blocks read as</td><td>4.1.5.1</td></tr>
 * <tr><td>35:34</td><td>NAWUN</td><td>atomic write unit, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>37:36</td><td>NAWUPF</td><td>the same at power fail, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>39:38</td><td>NACWU</td><td>compare and write unit, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>41:40</td><td>NABSN</td><td>atomic boundary, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>43:42</td><td>NABO</td><td>first atomic boundary</td><td>4.1.5.1</td></tr>
 * <tr><td>45:44</td><td>NABSPF</td><td>the same at power fail, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>47:46</td><td>NOIOB</td><td>optimal I/O boundary</td><td>4.1.5.1</td></tr>
 * <tr><td>63:48</td><td>NVMCAP</td><td>capacity in bytes</td><td>4.1.5.1</td></tr>
 * <tr><td>65:64</td><td>NPWG</td><td>write granularity, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>67:66</td><td>NPWA</td><td>write alignment, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>69:68</td><td>NPDG</td><td>deallocate granularity, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>71:70</td><td>NPDA</td><td>deallocate alignment, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>73:72</td><td>NOWS</td><td>optimal write size, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>75:74</td><td>MSSRL</td><td>Copy: blocks of a range</td><td>4.1.5.1</td></tr>
 * <tr><td>79:76</td><td>MCL</td><td>Copy: blocks in all</td><td>4.1.5.1</td></tr>
 * <tr><td>80</td><td>MSRC</td><td>Copy: ranges, zero based</td><td>4.1.5.1</td></tr>
 * <tr><td>81</td><td>NULBAF</td><td>more LBA formats</td><td>4.1.5.1</td></tr>
 * <tr><td>99</td><td>NSATTR</td><td>attributes</td><td>4.1.5.1</td></tr>
 * <tr><td>101:100</td><td>NVMSETID</td><td>NVM set</td><td>4.1.5.1</td></tr>
 * <tr><td>103:102</td><td>ENDGID</td><td>endurance group</td><td>4.1.5.1</td></tr>
 * <tr><td>119:104</td><td>NGUID</td><td>NGUID, big endian</td><td>4.1.5.1</td></tr>
 * <tr><td>127:120</td><td>EUI64</td><td>EUI-64, big endian</td><td>4.1.5.1</td></tr>
 * <tr><td>383:128</td><td>LBAF</td><td>64 LBA formats of 4 bytes</td><td>4.1.5.1</td></tr>
 * </table>
 */
public final class IdentifyNamespace {
    /** Length of the Identify Namespace page in bytes. */
    public static final int BYTES = 4096;

    /** NSZE: size in blocks. */
    public static final WireField NSZE = new WireField(0, 8);

    /** NCAP: capacity in blocks. */
    public static final WireField NCAP = new WireField(8, 8);

    /** NUSE: blocks in use. */
    public static final WireField NUSE = new WireField(16, 8);

    /** NSFEAT: features. */
    public static final WireField NSFEAT = new WireField(24, 1);

    /** NLBAF: LBA formats, zero based. */
    public static final WireField NLBAF = new WireField(25, 1);

    /** FLBAS: format in use. */
    public static final WireField FLBAS = new WireField(26, 1);

    /** MC: metadata capabilities. */
    public static final WireField MC = new WireField(27, 1);

    /** DPC: protection capabilities. */
    public static final WireField DPC = new WireField(28, 1);

    /** DPS: protection in use. */
    public static final WireField DPS = new WireField(29, 1);

    /** NMIC: multi-path and sharing. */
    public static final WireField NMIC = new WireField(30, 1);

    /** RESCAP: reservations. */
    public static final WireField RESCAP = new WireField(31, 1);

    /** FPI: format progress. */
    public static final WireField FPI = new WireField(32, 1);

    /** DLFEAT: what deallocated blocks read as. */
    public static final WireField DLFEAT = new WireField(33, 1);

    /** NAWUN: atomic write unit, zero based. */
    public static final WireField NAWUN = new WireField(34, 2);

    /** NAWUPF: the same at power fail, zero based. */
    public static final WireField NAWUPF = new WireField(36, 2);

    /** NACWU: compare and write unit, zero based. */
    public static final WireField NACWU = new WireField(38, 2);

    /** NABSN: atomic boundary, zero based. */
    public static final WireField NABSN = new WireField(40, 2);

    /** NABO: first atomic boundary. */
    public static final WireField NABO = new WireField(42, 2);

    /** NABSPF: the same at power fail, zero based. */
    public static final WireField NABSPF = new WireField(44, 2);

    /** NOIOB: optimal I/O boundary. */
    public static final WireField NOIOB = new WireField(46, 2);

    /** NVMCAP: capacity in bytes. */
    public static final WireField NVMCAP = new WireField(48, 16);

    /** NPWG: write granularity, zero based. */
    public static final WireField NPWG = new WireField(64, 2);

    /** NPWA: write alignment, zero based. */
    public static final WireField NPWA = new WireField(66, 2);

    /** NPDG: deallocate granularity, zero based. */
    public static final WireField NPDG = new WireField(68, 2);

    /** NPDA: deallocate alignment, zero based. */
    public static final WireField NPDA = new WireField(70, 2);

    /** NOWS: optimal write size, zero based. */
    public static final WireField NOWS = new WireField(72, 2);

    /** MSSRL: Copy: blocks of a range. */
    public static final WireField MSSRL = new WireField(74, 2);

    /** MCL: Copy: blocks in all. */
    public static final WireField MCL = new WireField(76, 4);

    /** MSRC: Copy: ranges, zero based. */
    public static final WireField MSRC = new WireField(80, 1);

    /** NULBAF: more LBA formats. */
    public static final WireField NULBAF = new WireField(81, 1);

    /** NSATTR: attributes. */
    public static final WireField NSATTR = new WireField(99, 1);

    /** NVMSETID: NVM set. */
    public static final WireField NVMSETID = new WireField(100, 2);

    /** ENDGID: endurance group. */
    public static final WireField ENDGID = new WireField(102, 2);

    /** NGUID: NGUID, big endian. */
    public static final WireField NGUID = new WireField(104, 16);

    /** EUI64: EUI-64, big endian. */
    public static final WireField EUI64 = new WireField(120, 8);

    /** LBAF: 64 LBA formats of 4 bytes. */
    public static final WireField LBAF = new WireField(128, 256);

    /** Maximum number of LBA formats of a namespace. */
    public static final int MAX_FORMATS = 64;

    private static final int SHORT_FORMATS = 16;

    private final MemorySegment page;

    /**
     * Wraps a page. The page is not copied, so a device that writes to it again changes what is
     * read.
     *
     * @throws IllegalArgumentException if the page is too short
     */
    public IdentifyNamespace(MemorySegment page) {
        this.page = Wire.requireBytes(page, BYTES, "Identify Namespace page");
    }

    /** Returns the Namespace Size, in blocks, unsigned. */
    public long nsze() {
        return NSZE.read(page);
    }

    /** Returns the Namespace Capacity, in blocks: how many may be allocated. */
    public long ncap() {
        return NCAP.read(page);
    }

    /** Returns the Namespace Utilization, in blocks: how many are allocated. */
    public long nuse() {
        return NUSE.read(page);
    }

    /** Returns the Namespace Features. */
    public int nsfeat() {
        return NSFEAT.readInt(page);
    }

    /** Returns the Number of LBA Formats, zero based. */
    public int nlbafZ() {
        return NLBAF.readInt(page);
    }

    /**
     * Returns the Formatted LBA Size: format index 3:0 and 6:5, metadata at the end of each block
     * 4.
     */
    public int flbas() {
        return FLBAS.readInt(page);
    }

    /**
     * Returns the Metadata Capabilities: bit 0 at the end of each block, bit 1 in a separate
     * buffer.
     */
    public int mc() {
        return MC.readInt(page);
    }

    /** Returns the End-to-end Data Protection Capabilities. */
    public int dpc() {
        return DPC.readInt(page);
    }

    /**
     * Returns the End-to-end Data Protection Type Settings: type 2:0, first bytes of the metadata
     * 3.
     */
    public int dps() {
        return DPS.readInt(page);
    }

    /** Returns the Namespace Multi-path I/O and Namespace Sharing Capabilities. */
    public int nmic() {
        return NMIC.readInt(page);
    }

    /** Returns the Reservation Capabilities; 0 for none. */
    public int rescap() {
        return RESCAP.readInt(page);
    }

    /** Returns the Format Progress Indicator: percentage left 6:0, supported 7. */
    public int fpi() {
        return FPI.readInt(page);
    }

    /** Returns the Deallocate Logical Block Features. */
    public int dlfeat() {
        return DLFEAT.readInt(page);
    }

    /** Returns the Namespace Atomic Write Unit Normal, in blocks, zero based. */
    public int nawunZ() {
        return NAWUN.readInt(page);
    }

    /** Returns the Namespace Atomic Write Unit Power Fail, in blocks, zero based. */
    public int nawupfZ() {
        return NAWUPF.readInt(page);
    }

    /** Returns the Namespace Atomic Compare and Write Unit, in blocks, zero based. */
    public int nacwuZ() {
        return NACWU.readInt(page);
    }

    /** Returns the Namespace Atomic Boundary Size Normal, in blocks, zero based. */
    public int nabsnZ() {
        return NABSN.readInt(page);
    }

    /** Returns the Namespace Atomic Boundary Offset, in blocks. */
    public int nabo() {
        return NABO.readInt(page);
    }

    /** Returns the Namespace Atomic Boundary Size Power Fail, in blocks, zero based. */
    public int nabspfZ() {
        return NABSPF.readInt(page);
    }

    /** Returns the Namespace Optimal I/O Boundary, in blocks; 0 for none. */
    public int noiob() {
        return NOIOB.readInt(page);
    }

    /** Returns the NVM Capacity, in bytes. */
    public BigInteger nvmcapBytes() {
        return NVMCAP.readBig(page);
    }

    /** Returns the Namespace Preferred Write Granularity, in blocks, zero based. */
    public int npwgZ() {
        return NPWG.readInt(page);
    }

    /** Returns the Namespace Preferred Write Alignment, in blocks, zero based. */
    public int npwaZ() {
        return NPWA.readInt(page);
    }

    /** Returns the Namespace Preferred Deallocate Granularity, in blocks, zero based. */
    public int npdgZ() {
        return NPDG.readInt(page);
    }

    /** Returns the Namespace Preferred Deallocate Alignment, in blocks, zero based. */
    public int npdaZ() {
        return NPDA.readInt(page);
    }

    /** Returns the Namespace Optimal Write Size, in blocks, zero based. */
    public int nowsZ() {
        return NOWS.readInt(page);
    }

    /** Returns the Maximum Single Source Range Length of Copy, in blocks. */
    public int mssrl() {
        return MSSRL.readInt(page);
    }

    /** Returns the Maximum Copy Length, in blocks. */
    public long mcl() {
        return MCL.read(page);
    }

    /** Returns the Maximum Source Range Count of Copy, zero based. */
    public int msrcZ() {
        return MSRC.readInt(page);
    }

    /**
     * Returns the Number of Unique Capability LBA Formats, which follow the formats that NLBAF
     * counts.
     */
    public int nulbaf() {
        return NULBAF.readInt(page);
    }

    /** Returns the Namespace Attributes. */
    public int nsattr() {
        return NSATTR.readInt(page);
    }

    /** Returns the NVM Set Identifier. */
    public int nvmsetid() {
        return NVMSETID.readInt(page);
    }

    /** Returns the Endurance Group Identifier. */
    public int endgid() {
        return ENDGID.readInt(page);
    }

    /**
     * Returns the Namespace Globally Unique Identifier, 32 hexadecimal digits; all 0 if there is
     * none.
     */
    public String nguid() {
        return HexFormat.of().formatHex(NGUID.readBytes(page));
    }

    /**
     * Returns the IEEE Extended Unique Identifier, 16 hexadecimal digits; all 0 if there is none.
     */
    public String eui64() {
        return HexFormat.of().formatHex(EUI64.readBytes(page));
    }

    /** Returns LBA format {@code index}, 0 to 63. */
    public LbaFormat lbaf(int index) {
        return new LbaFormat(lbafField(index).readInt(page));
    }

    /** Returns the field of LBA format {@code index}, 0 to 63. */
    public static WireField lbafField(int index) {
        return new WireField(
                LBAF.offset() + Objects.checkIndex(index, MAX_FORMATS) * LbaFormat.BYTES,
                LbaFormat.BYTES);
    }

    /**
     * Returns the number of LBA formats of both kinds. More than {@link #MAX_FORMATS} is invalid.
     */
    public int formats() {
        return nlbafZ() + 1 + nulbaf();
    }

    /**
     * Returns the index of the format in use. FLBAS bits 6:5 count only if there are more than 16
     * formats.
     */
    public int formatIndex() {
        int lower = Bits.get(flbas(), 3, 0);
        boolean extended = formats() > SHORT_FORMATS;
        return extended ? (Bits.get(flbas(), 6, 5) << 4) | lower : lower;
    }

    /** Returns the format in use. */
    public LbaFormat format() {
        return lbaf(formatIndex());
    }

    /** Returns the type of protection information in use; 0 for none. */
    public int protectionType() {
        return Bits.get(dps(), 2, 0);
    }

    /** Returns what deallocated blocks read as: 0 not stated, 1 zeroes, 2 ones. */
    public int deallocatedRead() {
        return Bits.get(dlfeat(), 2, 0);
    }

    /**
     * Returns how much of a Format NVM is left to do, a percentage. Valid if {@link
     * #reportsFormatProgress()}.
     */
    public int formatPercentLeft() {
        return Bits.get(fpi(), 6, 0);
    }

    /** Returns whether the namespace is thin provisioned: NCAP may be less than NSZE. */
    public boolean isThinProvisioned() {
        return Bits.bit(nsfeat(), 0);
    }

    /** Returns whether NAWUN, NAWUPF and NACWU replace those of the controller. */
    public boolean hasOwnAtomicUnits() {
        return Bits.bit(nsfeat(), 1);
    }

    /** Returns whether Deallocated or Unwritten Logical Block errors can be enabled. */
    public boolean supportsDulbe() {
        return Bits.bit(nsfeat(), 2);
    }

    /** Returns whether NGUID and EUI64 are never reused. */
    public boolean neverReusesIds() {
        return Bits.bit(nsfeat(), 3);
    }

    /** Returns whether NPWG, NPWA, NPDG, NPDA and NOWS are defined. */
    public boolean hasOptimalWriteHints() {
        return Bits.bit(nsfeat(), 4);
    }

    /**
     * Returns whether metadata is transferred at the end of each block, which makes blocks longer.
     */
    public boolean metadataInLine() {
        return Bits.bit(flbas(), 4);
    }

    /** Returns whether more than one controller may be attached. */
    public boolean isShared() {
        return Bits.bit(nmic(), 0);
    }

    /** Returns whether FPI reports progress. */
    public boolean reportsFormatProgress() {
        return Bits.bit(fpi(), 7);
    }

    /** Returns whether Write Zeroes takes the Deallocate bit. */
    public boolean deallocatesOnWriteZeroes() {
        return Bits.bit(dlfeat(), 3);
    }

    /** Returns whether the namespace is write protected. */
    public boolean isWriteProtected() {
        return Bits.bit(nsattr(), 0);
    }
}
