// Renders silent audio frames that a decoder accepts: AAC-LC in ADTS (ISO/IEC 13818-7 clause 6.2) and MPEG-1 layer II
// (ISO/IEC 11172-3 clause 2.4.1), both 48 kHz stereo.
import { BitWriter } from './bit-writer.js'

export type AudioCodec = 'aac' | 'mp2'

/** Length of a frame in units of 90 kHz. */
export const AUDIO_FRAME_90K = { aac: 1920, mp2: 2160 } as const satisfies Record<AudioCodec, number>

/** `sizeBytes` is a target: AAC frames have at least 16 bytes, layer II frames always 576. */
export function renderAudioFrame(codec: AudioCodec, sizeBytes: number): Uint8Array {
  return codec === 'aac' ? renderAac(sizeBytes) : renderLayer2()
}

function renderAac(sizeBytes: number): Uint8Array {
  const body = renderSilence(Math.max(0, Math.min(sizeBytes, 8000) - 16))
  const length = body.length + 7
  const header = new BitWriter().fields([0xfff, 12], [0, 1], [0, 2], [1, 1], [1, 2], [3, 4], [0, 1], [2, 3])
  header.fields([0, 4], [length, 13], [0x7ff, 11], [0, 2])
  return header.append(body).toBytes()
}

/** raw_data_block: a channel pair without spectrum, fill elements of about `filler` bytes, the end element. */
function renderSilence(filler: number): Uint8Array {
  const block = new BitWriter().fields([1, 3], [0, 4], [1, 1], [0, 1], [0, 2], [0, 1], [0, 6], [0, 1], [0, 2])
  for (let channel = 0; channel < 2; channel++) block.fields([100, 8], [0, 3])
  for (let left = filler; left > 16; left -= 270) {
    // fill_element: escaped count, extension_type EXT_FILL_DATA with its fixed bytes
    const count = Math.min(left - 2, 268)
    block.fields([6, 3], [15, 4], [count - 14, 8], [1, 4], [0, 4])
    for (let index = 1; index < count; index++) block.bits(0xa5, 8)
  }
  return block.bits(7, 3).align().toBytes()
}

/** 192 kb/s, no allocated bits: silence. */
function renderLayer2(): Uint8Array {
  const frame = new Uint8Array(576)
  frame.set([0xff, 0xfd, 0xa4, 0x00])
  return frame
}
