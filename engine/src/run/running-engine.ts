// A running engine, as the command line and programs that embed it see it.
import type { ReloadControl, StatusSource } from '../observe/status.js'
import type { PluginCode } from '../plugin/plugin-code.js'
import type { SupervisedEngine } from '../reload/supervise-config.js'

export interface RunningEngine extends StatusSource, SupervisedEngine {
  reloads: ReloadControl | undefined
  /**
   * Resolves when all inputs have ended and viewers have received everything. Rejects when the last input has failed
   * for good.
   */
  readonly ended: Promise<void>
  /** Clean, within `drain`: inputs end, viewers receive the rest, everything is released. Safe twice. */
  stop(reason: string): Promise<void>
  /** The URLs that a person can open, those for viewers first. */
  urls(): readonly { readonly label: string; readonly url: string }[]
  /**
   * Called in handlers of `uncaughtException` and `unhandledRejection`. True if a plugin caused the error: its node has
   * failed (before Node 24, possibly all nodes of the plugin). False if the state of the process is unknown. `loaded`:
   * further plugins whose modules have been loaded.
   */
  contain(error: unknown, loaded?: readonly PluginCode[]): boolean
}
