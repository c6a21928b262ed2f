// How often hls.js itself tries again before it calls an error fatal. Not often: after a restart of the server the
// segments that it waits for are gone, and only a new playlist helps.
import type { HlsConfig } from './hls.js'

const SHORT = { maxNumRetry: 1, retryDelayMs: 500, maxRetryDelayMs: 1000 }
const FILE = { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: 20_000, timeoutRetry: SHORT, errorRetry: SHORT }
/** The server holds a request for a playlist back until its first segment is complete. */
const PLAYLIST = { maxTimeToFirstByteMs: 30_000, maxLoadTimeMs: 40_000, timeoutRetry: SHORT, errorRetry: SHORT }

export function loadPolicies(): Pick<HlsConfig, 'fragLoadPolicy' | 'manifestLoadPolicy' | 'playlistLoadPolicy'> {
  return {
    fragLoadPolicy: { default: FILE },
    manifestLoadPolicy: { default: PLAYLIST },
    playlistLoadPolicy: { default: PLAYLIST },
  }
}
