// The player page: connects what plays with what is shown.
import { Controls } from './controls.js'
import { findElement } from './find-element.js'
import { refusedFormats } from './formats.js'
import { Hls } from './hls.js'
import { HlsPlayback } from './hls-playback.js'
import { listenToKeys } from './keyboard.js'
import { NativePlayback } from './native-playback.js'
import { Notices } from './notices.js'
import { addLinks } from './other-players.js'
import { type PageSettings, readSettings, reloadSettings, urlWithToken } from './page-settings.js'
import type { Playback, PlaybackEvents, Trouble } from './playback.js'
import { showReadings } from './readings.js'
import { ReturnWatch } from './return-watch.js'
import { SeekBar } from './seek-bar.js'
import { SettingsPanel } from './settings-panel.js'
import { startPlaying } from './start-playing.js'
import { Thumbnails } from './thumbnails.js'
import { troubleText } from './trouble-text.js'
import { watchPlayback } from './watchdog.js'

const UPDATE_EVERY_MS = 250
const NATIVE_TYPE = 'application/vnd.apple.mpegurl'
const LIVE_TOLERANCE_S = 4

class Player {
  readonly #settings: PageSettings
  readonly #video = findElement('video', HTMLVideoElement)
  readonly #notices = new Notices()
  readonly #thumbnails = new Thumbnails(findElement('preview-video', HTMLVideoElement))
  readonly #panel: SettingsPanel
  readonly #seekBar: SeekBar
  readonly #returnWatch: ReturnWatch
  #playback: Playback

  constructor(settings: PageSettings) {
    this.#settings = settings
    const url = urlWithToken(settings.source)
    this.#playback = this.#open(url)
    document.documentElement.dataset['engine'] = this.#playback.engine
    const playback = (): Playback => this.#playback
    const video = this.#video
    this.#panel = new SettingsPanel(video, playback)
    this.#seekBar = new SeekBar({ video, thumbnails: this.#thumbnails, playback })
    this.#returnWatch = new ReturnWatch(url, () => this.#playback.reload())
    const controls = new Controls(video)
    listenToKeys({ video, controls, seekBar: this.#seekBar, panel: this.#panel, playback })
    watchPlayback(video, playback)
    this.#follow(video)
    setInterval(() => this.#update(), UPDATE_EVERY_MS)
    startPlaying(video)
  }

  #open(url: string): Playback {
    const events: PlaybackEvents = {
      onChoices: () => this.#panel.update(),
      onTrouble: (trouble) => void this.#showTrouble(trouble),
      onEnded: () => this.#returnWatch.start(),
    }
    const video = this.#video
    // Chromium says that it can play HLS too, but not what it will do about a stream that changes.
    if (Hls.isSupported()) {
      const workerUrl = new URL('hls-worker.js', import.meta.url).href
      return new HlsPlayback({ video, url, findUrl, workerUrl, events }, (hls) => this.#thumbnails.follow(hls))
    }
    if (video.canPlayType(NATIVE_TYPE) === '') void this.#showTrouble({ kind: 'formats' })
    return new NativePlayback(video, url, events)
  }

  #follow(video: HTMLVideoElement): void {
    for (const event of ['waiting', 'stalled'] as const) {
      video.addEventListener(event, () => {
        if (!video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) this.#notices.setWaiting('Waiting…')
      })
    }
    for (const event of ['playing', 'pause', 'timeupdate'] as const) {
      video.addEventListener(event, () => this.#notices.setWaiting(undefined))
    }
    video.addEventListener('playing', () => this.#returnWatch.stop())
    video.addEventListener('ended', () => {
      this.#notices.setTrouble({ sentence: 'The channel has ended. Waiting for it to return…', isFinal: true })
      this.#returnWatch.start()
    })
  }

  /** Called a few times a second. */
  #update(): void {
    const { currentTime, paused, ended, readyState, videoWidth } = this.#video
    const { livePosition } = this.#playback
    this.#seekBar.update()
    showReadings(this.#video, this.#playback)
    const hasMedia = readyState >= HTMLMediaElement.HAVE_CURRENT_DATA
    this.#notices.setStill(hasMedia ? videoWidth === 0 : this.#isRadio)
    const { trouble } = this.#notices
    if (trouble !== undefined) this.#notices.setBadge(ended ? 'ended' : trouble.isFinal ? 'refused' : 'trouble')
    else if (livePosition === undefined || !hasMedia) this.#notices.setBadge('connecting')
    else if (paused) this.#notices.setBadge('paused')
    else this.#notices.setBadge(livePosition - currentTime < LIVE_TOLERANCE_S ? 'live' : 'behind')
  }

  get #isRadio(): boolean {
    const { tracks } = this.#settings
    return tracks.length > 0 && !tracks.some(({ media }) => media === 'video')
  }

  /** Not every browser has MediaSource: an iPhone plays HLS by itself. */
  #canPlay(type: string): boolean {
    return 'MediaSource' in window ? MediaSource.isTypeSupported(type) : this.#video.canPlayType(type) !== ''
  }

  async #showTrouble(trouble: Trouble | undefined): Promise<void> {
    if (trouble === undefined) return this.#notices.setTrouble(undefined)
    const tracks = trouble.kind === 'formats' ? ((await reloadSettings())?.tracks ?? this.#settings.tracks) : []
    const formats = refusedFormats(tracks, (type) => this.#canPlay(type))
    this.#notices.setTrouble(troubleText(trouble, formats, navigator.onLine))
  }
}

/** Of the source now: whether there are long playlists may have changed. */
async function findUrl(): Promise<string | undefined> {
  const settings = await reloadSettings()
  return settings && urlWithToken(settings.source)
}

function dress({ title, poster, logo }: PageSettings): void {
  const assets = new URL('.', import.meta.url)
  if (window.self !== window.top) document.documentElement.classList.add('framed')
  if (poster !== null) {
    findElement('video', HTMLVideoElement).poster = new URL(poster, assets).href
    findElement('still', HTMLElement).classList.add('with-poster')
  }
  if (logo !== null) {
    const image = document.createElement('img')
    image.src = new URL(logo.image, assets).href
    image.alt = ''
    const place = findElement('logo', HTMLElement)
    place.dataset['position'] = logo.position
    place.hidden = false
    place.append(logo.link === null ? image : linkAround(image, logo.link))
  }
  if ('mediaSession' in navigator) navigator.mediaSession.metadata = new MediaMetadata({ title })
}

function linkAround(image: HTMLImageElement, href: string): HTMLAnchorElement {
  const link = document.createElement('a')
  Object.assign(link, { href, target: '_blank', rel: 'noopener noreferrer', ariaLabel: new URL(href).hostname })
  link.append(image)
  return link
}

const settings = readSettings(document)
dress(settings)
addLinks(settings)
new Player(settings)
