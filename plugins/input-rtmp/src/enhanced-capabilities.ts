// What we say of ourselves in Enhanced RTMP, of streams that come in.
import type { Capabilities } from '@millrace/rtmp'

export const ENHANCED_CAPABILITIES: Required<Capabilities> = {
  /** Codecs that a transport stream carries. */
  fourCcList: ['avc1', 'hvc1', 'mp4a', '.mp3', 'Opus', 'ac-3', 'ec-3'],
  /** Multitrack, ModEx, and time stamps in nanoseconds. */
  capsEx: 2 | 4 | 8,
}
