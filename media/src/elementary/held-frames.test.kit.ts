// What a consumer got, as text and copies: for tests.
import type { Frame, FrameConsumer, Track } from './index.js'

export class HeldFrames implements FrameConsumer {
  readonly events: string[] = []
  readonly tracks: Track[] = []
  readonly payloads: Uint8Array[] = []

  expected(kind: Track['kind']): void {
    this.events.push(`expected ${kind}`)
  }

  track(track: Track): void {
    this.tracks.push(track)
    this.events.push(`track ${track.id} ${track.codec} ${Buffer.from(track.config).toString('hex')}`)
  }

  ended(track: Track): void {
    this.events.push(`ended ${track.id}`)
  }

  frame({ track, bytes, units, unitCount, pts90k, dts90k, isRandomAccess, isDisposable }: Frame): void {
    const flags = (isRandomAccess ? ' key' : '') + (isDisposable ? ' disposable' : '')
    this.events.push(`frame ${track.id} ${pts90k} ${dts90k} ${unitCount}${flags}`)
    for (let at = 0; at < unitCount; at++) this.payloads.push(bytes.slice(units[at * 2]!, units[at * 2 + 1]!))
  }

  discontinuity(): void {
    this.events.push('discontinuity')
  }

  unsupported(kind: Track['kind'], codec: string): void {
    this.events.push(`unsupported ${kind} ${codec}`)
  }

  /** Removes what was noted so far. */
  take(): string[] {
    return this.events.splice(0)
  }
}
