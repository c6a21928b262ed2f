// What an open listener means, with options that are valid.
import type { WarningContext } from '@millrace/engine/plugin'
import type { SrtListenerOptions } from './listener-options.js'
import type { SrtInputOptions } from './srt-options.js'

export function publishWarnings(options: SrtInputOptions, around: WarningContext): readonly string[] {
  const { mode, listener: name = '', passphrase } = options
  const listener = around.listener(name)
  if (mode !== 'listener' || listener === undefined || listener.isLoopback || around.hasAuth) return []
  if (passphrase !== undefined || (listener.options as SrtListenerOptions | undefined)?.passphrase !== undefined)
    return []
  return [`everybody who reaches the listener "${name}" can publish: add "auth", or a "passphrase"`]
}
