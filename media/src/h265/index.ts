// The entry point `@millrace/media/h265`.

export { H265_RULES } from './random-access.js'
export type { PictureRules } from '../mpegts/picture-rules.js'
