// The entry point `@millrace/media/h265`.

export { classifyH265 } from './random-access.js'
