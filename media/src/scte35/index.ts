// The entry point `@millrace/media/scte35`: splice information, ANSI/SCTE 35.
export { parseSpliceInfo } from './splice-info.js'
export type { Segmentation, SpliceInfo, SpliceInsert } from './splice-info.js'
