// The entry point `@millrace/media/rtp`: MPEG transport streams in RTP, RFC 3550 and RFC 2250.
export { makeRtpHeader, parseRtp, PAYLOAD_MP2T, renderRtpHeader, RTP_HEADER_BYTES } from './rtp-header.js'
export type { RtpHeader } from './rtp-header.js'
export { ReorderBuffer } from './reorder-buffer.js'
export type { Placed, ReorderCounters, ReorderLimits } from './reorder-buffer.js'
