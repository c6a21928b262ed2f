// The door `@millrace/media/mpeg2`.

export { classifyMpeg2 } from './random-access.js'
