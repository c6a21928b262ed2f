// The entry point `@millrace/media/mpeg2`.

export { classifyMpeg2 } from './random-access.js'
