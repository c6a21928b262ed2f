// The entry point `@millrace/media/flv`: bodies of FLV tags, which are RTMP's audio, video and data messages.
export { FlvReader } from './flv-reader.js'
export type { FlvCounters, FlvReaderOptions } from './flv-reader.js'
export { FlvWriter } from './flv-writer.js'
export type { FlvTag, FlvTagConsumer, FlvWriterOptions, LeftOutReason } from './flv-writer.js'
export type { FlvMetadata } from './metadata.js'
