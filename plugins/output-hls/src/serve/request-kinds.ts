// The kinds of paths beside the multivariant playlist. The first that has the name answers.
import { archiveByTime, archivedPlaylists, archivedSegments } from './archive.js'
import { inits } from './inits.js'
import { keys } from './keys.js'
import { page, pageFiles } from './page/page-requests.js'
import { playlists } from './playlists.js'
import type { RequestKind } from './request-kind.js'
import { segments } from './segments.js'

/** Segments come last: they have every name. */
export const REQUEST_KINDS: readonly RequestKind[] = [
  ...[page, pageFiles, archiveByTime, archivedPlaylists, archivedSegments],
  ...[playlists, keys, inits, segments],
]
