// The door `@millrace/media/h264`.

export { classifyH264 } from './random-access.js'
