// The entry point `@millrace/media/formats`: what streams say about how they are coded, as playlists name it.
export type { MediaFormat } from './media-format.js'
export { readFormat } from './read-format.js'
export { countFields } from './field-pictures.js'
export { silentAdtsFrame } from '../aac/silent-frame.js'
export type { SilentFrame } from '../aac/silent-frame.js'
export { scanTracks } from './scan-tracks.js'
export type { TrackScan } from './scan-tracks.js'
export { CaptionChannels } from '../captions/caption-channels.js'
