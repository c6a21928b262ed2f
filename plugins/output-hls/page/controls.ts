// The buttons under the picture, and when they are shown.
import { findButton, findElement, setIcon } from './find-element.js'

const IDLE_AFTER_MS = 3000
const STORED_VOLUME = 'millrace.volume'

export class Controls {
  readonly #video: HTMLVideoElement
  readonly #player = findElement('player', HTMLElement)
  readonly #play = findButton('play')
  readonly #mute = findButton('mute')
  readonly #volume = findElement('volume', HTMLInputElement)
  readonly #full = findButton('full')
  readonly #pip = findButton('pip')
  #idle: number | undefined

  constructor(video: HTMLVideoElement) {
    this.#video = video
    this.#play.addEventListener('click', () => this.togglePlay())
    this.#mute.addEventListener('click', () => this.toggleMute())
    this.#volume.addEventListener('input', () => this.setVolume(Number(this.#volume.value)))
    this.#setUpFullScreen()
    this.#setUpPip()
    this.#setUpIdle()
    for (const event of ['play', 'pause', 'ended']) video.addEventListener(event, () => this.#showPlay())
    video.addEventListener('volumechange', () => this.#showVolume())
    video.volume = readVolume()
    this.#showVolume()
    this.#showPlay()
  }

  togglePlay(): void {
    if (this.#video.paused) this.#video.play().catch(() => undefined)
    else this.#video.pause()
  }

  toggleMute(): void {
    this.#video.muted = !this.#video.muted
  }

  setVolume(volume: number): void {
    this.#video.volume = Math.min(1, Math.max(0, volume))
    this.#video.muted = this.#video.volume === 0
    storeVolume(this.#video.volume)
  }

  toggleFullScreen(): void {
    const video: HTMLVideoElement & { webkitEnterFullscreen?(): void } = this.#video
    if (document.fullscreenElement !== null) void document.exitFullscreen()
    else if (document.fullscreenEnabled) this.#player.requestFullscreen().catch(() => undefined)
    // iPhones show the video alone.
    else video.webkitEnterFullscreen?.()
  }

  togglePip(): void {
    if (this.#pip.hidden) return
    const isOpen = document.pictureInPictureElement !== null
    const change: Promise<unknown> = isOpen ? document.exitPictureInPicture() : this.#video.requestPictureInPicture()
    change.catch(() => undefined)
  }

  /** Somebody is there: the controls are shown for a while. */
  wake(): void {
    this.#player.classList.remove('idle')
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => {
      const isUsed = this.#player.querySelector(':focus-visible, .panel:not([hidden])') !== null
      if (!this.#video.paused && !isUsed) this.#player.classList.add('idle')
    }, IDLE_AFTER_MS)
  }

  #showPlay(): void {
    const { paused } = this.#video
    setIcon(this.#play, paused ? 'play' : 'pause')
    this.#play.ariaLabel = paused ? 'Play' : 'Pause'
    this.wake()
  }

  #showVolume(): void {
    const { muted, volume } = this.#video
    const shown = muted ? 0 : volume
    setIcon(this.#mute, shown === 0 ? 'muted' : 'sound')
    this.#mute.ariaLabel = muted ? 'Turn the sound on' : 'Mute'
    this.#volume.value = String(shown)
    this.#volume.ariaValueText = `${Math.round(shown * 100)} percent`
    this.#volume.style.setProperty('--done', `${shown * 100}%`)
  }

  #setUpFullScreen(): void {
    this.#full.hidden = !document.fullscreenEnabled && !('webkitEnterFullscreen' in this.#video)
    this.#full.addEventListener('click', () => this.toggleFullScreen())
    document.addEventListener('fullscreenchange', () => {
      const isFull = document.fullscreenElement !== null
      setIcon(this.#full, isFull ? 'small' : 'full')
      this.#full.ariaLabel = isFull ? 'Leave full screen' : 'Full screen'
    })
  }

  #setUpPip(): void {
    this.#pip.hidden = !document.pictureInPictureEnabled
    this.#pip.addEventListener('click', () => this.togglePip())
  }

  #setUpIdle(): void {
    const player = this.#player
    for (const event of ['pointermove', 'pointerdown', 'keydown', 'focusin']) {
      player.addEventListener(event, () => this.wake())
    }
    player.addEventListener('pointerleave', ({ pointerType }) => {
      if (pointerType === 'mouse' && !this.#video.paused) this.wake()
    })
    // A click on the picture: with a mouse it plays and pauses, a finger only shows the controls.
    this.#video.addEventListener('pointerup', ({ pointerType, button }) => {
      if (pointerType === 'mouse' && button === 0) this.togglePlay()
    })
    this.#video.addEventListener('dblclick', () => this.toggleFullScreen())
  }
}

/** A frame of another page may have no storage. */
function readVolume(): number {
  try {
    const stored = Number(localStorage.getItem(STORED_VOLUME) ?? 1)
    return stored > 0 && stored <= 1 ? stored : 1
  } catch {
    return 1
  }
}

function storeVolume(volume: number): void {
  try {
    localStorage.setItem(STORED_VOLUME, String(volume))
  } catch {
    // It is only remembered where it can be.
  }
}
