// Why a transcoder fails. Everything else restarts the encoder inside the node.
import { defineErrors } from '@millrace/engine/plugin'

export const transcodeError = defineErrors({
  TRANSCODE_HARDWARE: {
    sentence: 'No rendition can be encoded, since the hardware that the options ask for does not work.',
    hint: 'The message says why. With `hardware: auto` renditions are encoded in software where none works.',
    reaction: 'retry',
  },
  TRANSCODE_ENDED: {
    sentence:
      'After a reload, the new ffmpeg has ended by itself before its first picture, while the one before works; neither hardware nor a track is the cause.',
    hint: 'Its last lines stand in the message. Check what has been changed: encoder, preset, profile, `extraArgs`.',
    reaction: 'config',
  },
  TRANSCODE_REFUSED: {
    sentence: 'ffmpeg does not accept the options of the node.',
    hint: 'The message says which; `ffmpeg -h encoder=NAME` lists what an encoder takes.',
    reaction: 'config',
  },
})
