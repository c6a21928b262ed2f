// What an open listener means, with options that are valid.
import type { WarningContext } from '@millrace/engine/plugin'
import type { RtmpInputOptions } from './rtmp-options.js'

export function publishWarnings(
  { mode, listener: name = '' }: RtmpInputOptions,
  around: WarningContext,
): readonly string[] {
  const listener = around.listener(name)
  if (mode !== 'listen' || listener === undefined || listener.isLoopback || around.hasAuth) return []
  return [`everybody who reaches the listener "${name}" can publish: add "auth"`]
}
