// A transport stream for people: packets as hexadecimal lines, or a summary of its PIDs (ISO/IEC 13818-1, 2.4.3.2).

const PACKET = 188
const SYNC = 0x47
const NULL_PID = 0x1fff

interface PidCount {
  packets: number
  discontinuities: number
  randomAccessPoints: number
  lastCounter: number
}

/** Whole packets of a stream that begins with one, whatever the pieces are. */
export class TapPackets {
  #rest = new Uint8Array(0)

  push(bytes: Uint8Array, take: (packet: Uint8Array) => void): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const whole = all.length - (all.length % PACKET)
    for (let at = 0; at < whole; at += PACKET) take(all.subarray(at, at + PACKET))
    this.#rest = Uint8Array.from(all.subarray(whole))
  }
}

export class TapSummary {
  readonly #pids = new Map<number, PidCount>()
  #packets = 0
  #broken = 0

  note(packet: Uint8Array): void {
    this.#packets++
    const [sync = 0, high = 0, low = 0, flags = 0] = packet
    if (sync !== SYNC) return void this.#broken++
    const pid = ((high & 0x1f) << 8) | low
    const count = this.#pids.get(pid) ?? { packets: 0, discontinuities: 0, randomAccessPoints: 0, lastCounter: -1 }
    this.#pids.set(pid, count)
    count.packets++
    const hasAdaptation = (flags & 0x20) !== 0
    const adaptation = hasAdaptation && (packet[4] ?? 0) > 0 ? (packet[5] ?? 0) : 0
    if ((adaptation & 0x40) !== 0) count.randomAccessPoints++
    if ((flags & 0x10) !== 0 && pid !== NULL_PID) noteCounter(count, flags & 0x0f, (adaptation & 0x80) !== 0)
  }

  /** Ends with a line break. */
  render(seconds: number): string {
    const rate = (packets: number): string =>
      `${((packets * PACKET * 8) / Math.max(seconds, 0.001) / 1e6).toFixed(3)} Mb/s`
    const broken = this.#broken === 0 ? '' : `, ${this.#broken} without a sync byte`
    const rows = [...this.#pids]
      .sort(([a], [b]) => a - b)
      .map(([pid, count]) => {
        const { packets, discontinuities, randomAccessPoints } = count
        const name = `0x${pid.toString(16).padStart(4, '0')}`
        const more = [
          ...(randomAccessPoints > 0 ? [`${randomAccessPoints} random access points`] : []),
          ...(discontinuities > 0 ? [`${discontinuities} continuity errors`] : []),
          ...(pid === NULL_PID ? ['null packets'] : []),
        ]
        return [`  ${name}  ${String(packets).padStart(8)} packets  ${rate(packets)}`, ...more].join('  ')
      })
    return `${[`${this.#packets} packets in ${seconds.toFixed(1)} s, ${rate(this.#packets)}${broken}`, ...rows].join('\n')}\n`
  }
}

/** One repetition of a packet is allowed, and a marked discontinuity. */
function noteCounter(count: PidCount, counter: number, isMarked: boolean): void {
  const { lastCounter } = count
  const isContinued = lastCounter < 0 || counter === ((lastCounter + 1) & 0x0f) || counter === lastCounter
  if (!isContinued && !isMarked) count.discontinuities++
  count.lastCounter = counter
}

export function hexLine(packet: Uint8Array): string {
  return `${Buffer.from(packet.buffer, packet.byteOffset, packet.length).toString('hex')}\n`
}
