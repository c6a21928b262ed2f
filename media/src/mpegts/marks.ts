// The records that a framer stores with a chunk: MARK_SIZE numbers each, in order of offset. A packet has at most one
// record, so the flags of a record hold everything known about that packet.

/** Numbers per record: offset of the packet in the chunk, PID, flags, milliseconds since the chunk's receivedAtMs. */
export const MARK_SIZE = 4
export const MARK_OFFSET = 0
export const MARK_PID = 1
export const MARK_FLAGS = 2
export const MARK_MS = 3

/** payload_unit_start_indicator: a PES packet or a section begins. */
export const UNIT_START = 1 << 0
/** A random access point of the PID's program begins here: with the packet, or inside it (see DecoderHead). */
export const RANDOM_ACCESS = 1 << 1
/** The adaptation field carries a PCR. */
export const HAS_PCR = 1 << 2
/**
 * The packet is on a PID that carries sections (PAT, CAT, PMT, SI), whether or not it is the first packet of a section.
 */
export const PSI = 1 << 3
/** The last packet of its PID in this chunk; its counter is the PID's state after the chunk. */
export const LAST_OF_PID = 1 << 4
/** TR 101 290 1.4: the counter does not follow the previous one. */
export const CONTINUITY_ERROR = 1 << 5
/** TR 101 290 2.1: transport_error_indicator is set. */
export const TRANSPORT_ERROR = 1 << 6
/** TR 101 290 2.2: a section that ends in this packet has a wrong CRC. */
export const CRC_ERROR = 1 << 7
/** transport_scrambling_control is not 00. */
export const SCRAMBLED = 1 << 8
/** TR 101 290 1.1: synchronisation was lost before this packet and regained here. */
export const SYNC_LOSS = 1 << 9
/** TR 101 290 1.2: a packet before this one had a wrong sync byte and was dropped. */
export const SYNC_BYTE_ERROR = 1 << 10
/** A new version of the PAT or of a PMT took effect with this packet. */
export const PSI_CHANGE = 1 << 11
/** discontinuity_indicator is set. */
export const DISCONTINUITY_INDICATOR = 1 << 12
