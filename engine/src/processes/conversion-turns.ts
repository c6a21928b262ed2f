// Who may run a conversion now: two at once for the whole engine; the others wait in order.
const MOST = 2

interface Waiting {
  isGiven: boolean
  wake(): void
}

export class ConversionTurns {
  readonly #waiting = new Set<Waiting>()
  #running = 0

  /** Resolves when it is the caller's turn, with what ends the turn; with undefined if `signal` aborts before. */
  async take(signal: AbortSignal): Promise<Disposable | undefined> {
    if (signal.aborted) return undefined
    if (this.#running < MOST) this.#running++
    else if (!(await this.#wait(signal))) return undefined
    let isOver = false
    return {
      [Symbol.dispose]: () => {
        if (isOver) return
        isOver = true
        this.#end()
      },
    }
  }

  async #wait(signal: AbortSignal): Promise<boolean> {
    const entry: Waiting = { isGiven: false, wake: () => undefined }
    const woken = new Promise<void>((resolve) => (entry.wake = resolve))
    const leave = (): void => entry.wake()
    signal.addEventListener('abort', leave, { once: true })
    this.#waiting.add(entry)
    await woken
    signal.removeEventListener('abort', leave)
    this.#waiting.delete(entry)
    return entry.isGiven
  }

  /** The place goes to who has waited longest. */
  #end(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#running--
      return
    }
    this.#waiting.delete(next)
    next.isGiven = true
    next.wake()
  }
}
