// The entry point `@millrace/media/mpeg2`.

export { MPEG2_RULES } from './random-access.js'
export type { PictureRules } from '../mpegts/picture-rules.js'
