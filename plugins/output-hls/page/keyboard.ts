// Keys of the page. A control that has the focus keeps those that mean something to it.
import type { Controls } from './controls.js'
import type { SettingsPanel } from './settings-panel.js'
import type { SeekBar } from './seek-bar.js'
import type { Playback } from './playback.js'

const STEP_S = 5
const LONG_STEP_S = 10
const VOLUME_STEP = 0.05

export interface KeyboardParts {
  readonly video: HTMLVideoElement
  readonly controls: Controls
  readonly seekBar: SeekBar
  readonly panel: SettingsPanel
  playback(): Playback
}

export function listenToKeys(parts: KeyboardParts): void {
  const keys = keysOf(parts)
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    if (isForTarget(event.target, key)) return
    const act = keys.get(key)
    if (act === undefined) return
    event.preventDefault()
    act()
    parts.controls.wake()
  })
}

function keysOf({ video, controls, seekBar, panel, playback }: KeyboardParts): ReadonlyMap<string, () => void> {
  const seekBy = (seconds: number) => () => seekBar.seek(video.currentTime + seconds)
  const volumeBy = (change: number) => () => controls.setVolume((video.muted ? 0 : video.volume) + change)
  return new Map<string, () => void>([
    [' ', () => controls.togglePlay()],
    ['k', () => controls.togglePlay()],
    ['ArrowLeft', seekBy(-STEP_S)],
    ['ArrowRight', seekBy(STEP_S)],
    ['j', seekBy(-LONG_STEP_S)],
    ['l', seekBy(LONG_STEP_S)],
    ['Home', () => seekBar.seek(playback().range?.start ?? 0)],
    ['End', () => seekBar.goLive()],
    ['ArrowUp', volumeBy(VOLUME_STEP)],
    ['ArrowDown', volumeBy(-VOLUME_STEP)],
    ['m', () => controls.toggleMute()],
    ['f', () => controls.toggleFullScreen()],
    ['p', () => controls.togglePip()],
    ['c', () => panel.toggleCaptions()],
    ['Escape', () => panel.close()],
  ])
}

/** Space presses buttons and opens details; selects use letters and arrows; the volume has arrows of its own. */
function isForTarget(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLSelectElement) return key !== 'Escape'
  const isPressed = target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement
  if (isPressed || target.tagName === 'SUMMARY') return key === ' ' || key === 'Enter'
  return target.id === 'volume' && /^(Arrow|Home|End)/.test(key)
}
