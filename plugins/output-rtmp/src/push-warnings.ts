// What a push of a pattern pipeline does that its user may not expect.
import type { WarningContext } from '@millrace/engine/plugin'
import type { RtmpOutputOptions } from './rtmp-output-options.js'

export function pushWarnings(
  { mode, url = '', holdFor = 0 }: RtmpOutputOptions,
  { lingerMs }: WarningContext,
): readonly string[] {
  if (mode !== 'push' || lingerMs === undefined) return []
  return [
    ...(url.includes('${stream}') ? [] : ['all streams are published under one name: put ${stream} into "url"']),
    ...(holdFor > lingerMs
      ? [
          `"holdFor" (${holdFor} ms) is longer than "linger" of the input (${lingerMs} ms), after which the stream ends: then the server is left, too`,
        ]
      : []),
  ]
}
