// The entry point `@millrace/media/mpegts/demux`: transport streams to tracks and frames.
export { TsDemuxer } from './ts-demuxer.js'
export type { DemuxCounters, TsDemuxerOptions } from './ts-demuxer.js'
