// The numbers of FLV tag bodies, which are RTMP's audio and video messages: Adobe FLV 10.1 annex E.4, and Enhanced RTMP
// v2 (Veovera), "Enhanced Video" and "Enhanced Audio".

/** RTMP message types, which are FLV tag types. */
export const AUDIO_TAG = 8
export const VIDEO_TAG = 9
export const DATA_TAG = 18
export const AGGREGATE_TAG = 22

/** FrameType. */
export const KEY_FRAME = 1
export const INTER_FRAME = 2
export const DISPOSABLE_FRAME = 3
/** Information or command, not a frame. */
export const COMMAND_FRAME = 5

/** CodecID of video. 12 is what many encoders sent before Enhanced RTMP. */
export const AVC_ID = 7
export const HEVC_ID = 12
/** SoundFormat of audio. */
export const MP3_ID = 2
export const ENHANCED_AUDIO_ID = 9
export const AAC_ID = 10
export const MP3_8K_ID = 14

/** AVCPacketType, AACPacketType. */
export const LEGACY_CONFIG = 0
export const LEGACY_FRAME = 1

/** VideoPacketType and AudioPacketType of Enhanced RTMP. */
export const SEQUENCE_START = 0
export const CODED_FRAMES = 1
export const CODED_FRAMES_X = 3
export const METADATA = 4
export const AUDIO_MULTITRACK = 5
export const VIDEO_MULTITRACK = 6
export const MOD_EX = 7

/** AvMultitrackType. */
export const ONE_TRACK = 0
export const MANY_TRACKS_MANY_CODECS = 2

/** ModExType: a presentation offset in nanoseconds, 24 bits. */
export const NANOSECOND_OFFSET = 0

/** The top bit of a video body's first byte: IsExVideoHeader. */
export const EX_VIDEO = 0x80
