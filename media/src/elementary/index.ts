/** Tracks and frames of elementary streams: what demuxers hand out and muxers take in. */
export type { Frame } from './frame.js'
export type { Codec, Track } from './track.js'
export type { FrameConsumer, ReadCounters } from './frame-consumer.js'
