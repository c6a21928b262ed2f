// The entry point `@millrace/media/h264`.

export { classifyH264 } from './random-access.js'
