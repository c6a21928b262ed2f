// The entry point `@millrace/media/h264`.

export { H264_RULES } from './random-access.js'
export type { PictureRules } from '../mpegts/picture-rules.js'
