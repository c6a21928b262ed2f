// Small pictures of the past, from the I-frame playlist; none if the stream has no such playlist.
import { Events, type Hls, type HlsIFramesOnly } from './hls.js'

const TRIES = 5
/** For one picture. */
const WAIT_MS = 300
/** The first picture of a segment begins a little after the segment. */
const MARGIN_S = 0.1

export class Thumbnails {
  readonly #video: HTMLVideoElement
  #hls: Hls | undefined
  #player: HlsIFramesOnly | undefined
  #attached: Promise<unknown> = Promise.resolve()
  #wanted: number | undefined
  #isBusy = false

  constructor(video: HTMLVideoElement) {
    this.#video = video
  }

  /** Called with each instance of hls.js. `loadSource` destroys its I-frame player: there is one for each manifest. */
  follow(hls: Hls): void {
    hls.on(Events.MANIFEST_LOADING, () => this.#drop())
    hls.on(Events.DESTROYING, () => this.#drop())
    this.#hls = hls
  }

  /** Shows the picture at that time, or the one before; resolves when it is there, or when there is none. */
  async show(time: number): Promise<boolean> {
    this.#wanted = time
    const player = this.#open()
    if (player === undefined) return false
    if (this.#isBusy) return true
    this.#isBusy = true
    try {
      await this.#attached
      while (this.#wanted !== undefined && this.#player === player) {
        const next: number = this.#wanted
        this.#wanted = undefined
        await this.#showOne(player, next)
      }
    } finally {
      this.#isBusy = false
    }
    return true
  }

  #open(): HlsIFramesOnly | undefined {
    if (this.#player !== undefined || this.#hls === undefined) return this.#player
    const player = this.#hls.createIFramePlayer()
    if (player === null) return undefined
    this.#player = player
    this.#attached = new Promise((resolve) => player.once(Events.MEDIA_ATTACHED, resolve))
    player.attachMedia(this.#video)
    return player
  }

  #drop(): void {
    this.#player = undefined
    this.#wanted = undefined
  }

  async #showOne(player: HlsIFramesOnly, wanted: number): Promise<void> {
    for (let tried = 0; tried < TRIES && this.#wanted === undefined && this.#player === player; tried++) {
      const details = this.#hls?.latestLevelDetails
      const first = details?.fragments[0]
      if (details === null || details === undefined || first === undefined) return
      const time = Math.min(Math.max(wanted, first.start + MARGIN_S), details.edge - MARGIN_S)
      // What is there already can be a later picture, in front of which the player would wait for ever.
      player.trigger(Events.BUFFER_FLUSHING, { startOffset: 0, endOffset: Infinity, type: null })
      const shown = this.#untilShown(time - details.targetduration - MARGIN_S, time + MARGIN_S / 10)
      player.loadMediaAt(time)
      if (await shown) return
    }
  }

  #untilShown(after: number, until: number): Promise<boolean> {
    const video = this.#video
    if (!('requestVideoFrameCallback' in video)) return Promise.resolve(true)
    return new Promise((resolve) => {
      const look: VideoFrameRequestCallback = (_, { mediaTime }) => {
        if (mediaTime > after && mediaTime <= until) {
          clearTimeout(timer)
          resolve(true)
        } else id = video.requestVideoFrameCallback(look)
      }
      let id = video.requestVideoFrameCallback(look)
      const timer = setTimeout(() => {
        video.cancelVideoFrameCallback(id)
        resolve(false)
      }, WAIT_MS)
    })
  }
}
