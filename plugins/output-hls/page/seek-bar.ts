// The line that stands for the playlist, from its oldest picture to live, and the button that leads back to live.
import { findButton, findElement } from './find-element.js'
import type { Playback, TimeRange } from './playback.js'
import type { Thumbnails } from './thumbnails.js'
import { clockText, spokenText } from './time-text.js'

/** Closer to where a new viewer begins than this is live. */
const LIVE_TOLERANCE_S = 4

export interface SeekBarParts {
  readonly video: HTMLVideoElement
  readonly thumbnails: Thumbnails
  playback(): Playback
}

export class SeekBar {
  readonly #parts: SeekBarParts
  readonly #input = findElement('seek', HTMLInputElement)
  readonly #live = findButton('live')
  readonly #liveText = findElement('live-text', HTMLElement)
  readonly #preview = findElement('preview', HTMLElement)
  readonly #previewTime = findElement('preview-time', HTMLElement)
  readonly #previewVideo = findElement('preview-video', HTMLVideoElement)
  #isDragged = false

  constructor(parts: SeekBarParts) {
    this.#parts = parts
    const input = this.#input
    input.addEventListener('input', () => this.#onInput())
    input.addEventListener('change', () => this.#onChange())
    input.addEventListener('pointermove', ({ clientX, buttons }) => {
      if (buttons === 0) this.#showPreview(this.#timeUnder(clientX))
    })
    for (const gone of ['pointerleave', 'pointerup', 'pointercancel', 'blur']) {
      input.addEventListener(gone, () => (this.#preview.hidden = true))
    }
    this.#live.addEventListener('click', () => this.goLive())
  }

  /** Where live is now: the player goes there. */
  goLive(): void {
    const { livePosition } = this.#parts.playback()
    if (livePosition !== undefined) this.seek(livePosition)
    this.#parts.video.play().catch(() => undefined)
  }

  seek(time: number): void {
    const { range, livePosition } = this.#parts.playback()
    if (range === undefined || livePosition === undefined) return
    this.#parts.video.currentTime = Math.min(Math.max(time, range.start), Math.max(range.start, livePosition))
    this.update()
  }

  /** Called a few times a second. */
  update(): void {
    const { range, livePosition } = this.#parts.playback()
    const isOpen = range !== undefined && livePosition !== undefined
    this.#input.disabled = !isOpen
    this.#live.disabled = !isOpen
    if (!isOpen || this.#isDragged) return
    const time = this.#parts.video.currentTime
    // The playlist moves, and the line with it: 0 is its oldest picture.
    this.#input.max = String(Math.max(livePosition - range.start, 0.1))
    const isLive = livePosition - time < LIVE_TOLERANCE_S
    const shown = isLive ? livePosition : time
    this.#input.value = String(shown - range.start)
    this.#describe(shown, range, livePosition)
  }

  #describe(time: number, range: TimeRange, livePosition: number): void {
    const behind = livePosition - time
    const isLive = behind <= 0
    this.#live.classList.toggle('at-live', isLive)
    const text = isLive ? 'Live' : `−${clockText(behind)}`
    if (this.#liveText.textContent !== text) this.#liveText.textContent = text
    this.#live.ariaLabel = isLive ? 'Live' : `${text}, go to live`
    this.#input.ariaValueText = isLive ? 'Live' : `${spokenText(behind)} behind live`
    const length = livePosition - range.start
    this.#fill('--done', (time - range.start) / length)
    this.#fill('--loaded', (bufferedUntil(this.#parts.video) - range.start) / length)
  }

  #fill(name: string, share: number): void {
    this.#input.style.setProperty(name, `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`)
  }

  /** While the thumb is dragged, only the preview follows it. */
  #onInput(): void {
    const { range } = this.#parts.playback()
    if (range === undefined) return
    this.#isDragged = true
    const value = Number(this.#input.value)
    this.#fill('--done', value / Number(this.#input.max))
    this.#showPreview(range.start + value)
  }

  #onChange(): void {
    const { range } = this.#parts.playback()
    this.#isDragged = false
    this.#preview.hidden = true
    if (range !== undefined) this.seek(range.start + Number(this.#input.value))
  }

  #timeUnder(clientX: number): number | undefined {
    const { range, livePosition } = this.#parts.playback()
    if (range === undefined || livePosition === undefined) return undefined
    const { left, width } = this.#input.getBoundingClientRect()
    const share = Math.min(1, Math.max(0, (clientX - left) / width))
    return range.start + share * (livePosition - range.start)
  }

  #showPreview(time: number | undefined): void {
    const { range, livePosition } = this.#parts.playback()
    if (time === undefined || range === undefined || livePosition === undefined) return
    const behind = Math.max(0, livePosition - time)
    const date = this.#parts.playback().dateAt(time)
    const clock = date?.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
    const distance = behind < 1 ? 'Live' : `−${clockText(behind)}`
    this.#previewTime.textContent = clock === undefined ? distance : `${distance} · ${clock}`
    this.#preview.hidden = false
    void this.#parts.thumbnails.show(time).then((has) => (this.#previewVideo.hidden = !has))
    const { width } = this.#input.getBoundingClientRect()
    const own = this.#preview.offsetWidth
    const center = (width * (time - range.start)) / Math.max(livePosition - range.start, 0.1)
    this.#preview.style.left = `${Math.max(0, Math.min(width - own, center - own / 2))}px`
  }
}

export function bufferedUntil({ buffered, currentTime }: HTMLVideoElement): number {
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime + 0.3 && buffered.end(index) > currentTime) return buffered.end(index)
  }
  return currentTime
}
