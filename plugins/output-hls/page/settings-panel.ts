// Quality, audio track and captions, as far as there is a choice.
import { findButton, findElement } from './find-element.js'
import type { Choice, Playback } from './playback.js'

const NO_CAPTIONS = -1

type SelectName = 'quality' | 'audio' | 'captions'

export class SettingsPanel {
  readonly #video: HTMLVideoElement
  readonly #playback: () => Playback
  readonly #button = findButton('settings-button')
  readonly #panel = findElement('panel', HTMLElement)
  readonly #selects: Readonly<Record<SelectName, HTMLSelectElement>> = {
    quality: findElement('quality', HTMLSelectElement),
    audio: findElement('audio', HTMLSelectElement),
    captions: findElement('captions', HTMLSelectElement),
  }

  constructor(video: HTMLVideoElement, playback: () => Playback) {
    this.#video = video
    this.#playback = playback
    const { quality, audio, captions } = this.#selects
    quality.addEventListener('change', () => playback().setQuality(Number(quality.value)))
    audio.addEventListener('change', () => playback().setAudioTrack(Number(audio.value)))
    captions.addEventListener('change', () => this.#showCaptions(Number(captions.value)))
    this.#button.addEventListener('click', () => (this.#panel.hidden ? this.open() : this.close()))
    document.addEventListener('pointerdown', ({ target }) => {
      const isInside = target instanceof Node && (this.#panel.contains(target) || this.#button.contains(target))
      if (!isInside) this.#setOpen(false)
    })
    for (const event of ['addtrack', 'removetrack', 'change']) {
      video.textTracks.addEventListener(event, () => this.update())
    }
  }

  open(): void {
    this.update()
    this.#setOpen(true)
    this.#panel.querySelector<HTMLSelectElement>('label:not([hidden]) select')?.focus()
  }

  close(): void {
    if (this.#panel.hidden) return
    const hadFocus = this.#panel.contains(document.activeElement)
    this.#setOpen(false)
    if (hadFocus) this.#button.focus()
  }

  update(): void {
    const playback = this.#playback()
    const rows = [
      this.#fill('quality', playback.qualities, playback.quality),
      this.#fill('audio', playback.audioTracks, playback.audioTrack),
      this.#fill('captions', this.#captionChoices(), this.#shownCaptions()),
    ]
    findElement('panel-empty', HTMLElement).hidden = rows.includes(true)
  }

  toggleCaptions(): void {
    const [, first] = this.#captionChoices()
    if (first !== undefined) this.#showCaptions(this.#shownCaptions() === NO_CAPTIONS ? first.value : NO_CAPTIONS)
  }

  #setOpen(isOpen: boolean): void {
    this.#panel.hidden = !isOpen
    this.#button.ariaExpanded = String(isOpen)
  }

  /** Returns whether there is a choice. A list that is open is left alone while its content stays the same. */
  #fill(name: SelectName, choices: readonly Choice[], value: number): boolean {
    const select = this.#selects[name]
    findElement(`${name}-row`, HTMLElement).hidden = choices.length < 2
    const isSame =
      choices.length === select.options.length &&
      choices.every((choice, index) => select.options[index]?.text === choice.label)
    if (!isSame) select.replaceChildren(...choices.map((choice) => new Option(choice.label, String(choice.value))))
    select.value = String(value)
    return choices.length >= 2
  }

  #captionTracks(): readonly TextTrack[] {
    return [...this.#video.textTracks].filter(({ kind }) => kind === 'captions' || kind === 'subtitles')
  }

  #captionChoices(): readonly Choice[] {
    const tracks = this.#captionTracks()
    if (tracks.length === 0) return []
    const each = tracks.map(({ label, language }, value) => ({
      value,
      label: label || language || `Track ${value + 1}`,
    }))
    return [{ value: NO_CAPTIONS, label: 'Off' }, ...each]
  }

  #shownCaptions(): number {
    return this.#captionTracks().findIndex(({ mode }) => mode === 'showing')
  }

  #showCaptions(chosen: number): void {
    for (const [index, track] of this.#captionTracks().entries()) track.mode = index === chosen ? 'showing' : 'hidden'
  }
}
