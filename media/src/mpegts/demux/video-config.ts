// The configuration of a video track by the parameter sets that came in band, as avcC or hvcC.
import { renderAvcConfig } from '../../h264/decoder-configuration.js'
import { H264_RULES, PPS_CLASS, SPS_CLASS } from '../../h264/random-access.js'
import { parseH264Sps } from '../../h264/sequence-parameter-set.js'
import { renderHevcConfig } from '../../h265/decoder-configuration.js'
import * as h265 from '../../h265/random-access.js'
import { parseH265Sps } from '../../h265/sequence-parameter-set.js'
import type { MediaFormat } from '../../formats/media-format.js'
import type { ParameterSetStore } from '../parameter-set-store.js'
import type { PictureRules } from '../picture-rules.js'

export interface VideoCodec {
  readonly codec: 'h264' | 'h265'
  readonly rules: PictureRules
  renderConfig(sets: ParameterSetStore): Uint8Array | undefined
  /** Of the first SPS. */
  readFormat(sets: ParameterSetStore): MediaFormat | undefined
}

export const H264: VideoCodec = {
  codec: 'h264',
  rules: H264_RULES,
  renderConfig: (sets) => renderAvcConfig(sets.ofClass(SPS_CLASS), sets.ofClass(PPS_CLASS)),
  readFormat(sets) {
    const [sps] = sets.ofClass(SPS_CLASS)
    return sps && parseH264Sps(sps, 0, sps.length)
  },
}

export const H265: VideoCodec = {
  codec: 'h265',
  rules: h265.H265_RULES,
  renderConfig(sets) {
    const [vps, sps] = [sets.ofClass(h265.VPS_CLASS), sets.ofClass(h265.SPS_CLASS)]
    return renderHevcConfig(vps, sps, sets.ofClass(h265.PPS_CLASS))
  },
  readFormat(sets) {
    const [sps] = sets.ofClass(h265.SPS_CLASS)
    return sps && parseH265Sps(sps, 0, sps.length)
  },
}
