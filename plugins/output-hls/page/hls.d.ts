// hls.js, which the server sends from its package under this name.
export { default as Hls, ErrorDetails, ErrorTypes, Events } from 'hls.js'
export type { ErrorData, HlsConfig, HlsIFramesOnly } from 'hls.js'
