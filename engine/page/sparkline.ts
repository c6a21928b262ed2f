// A rate over the last minute, as a small curve.
import { drawing, setAttributes } from './dom.js'
import { megabits } from './model/index.js'

const WIDTH = 120
const HEIGHT = 24
const SECONDS = 60

export class Sparkline {
  readonly element: SVGSVGElement
  readonly #line = drawing('polyline', { class: 'spark-line' })
  readonly #area = drawing('polygon', { class: 'spark-area' })

  constructor() {
    const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', class: 'spark' }
    this.element = drawing('svg', box, this.#area, this.#line)
  }

  /** Bits per second, one a second, oldest first. */
  update(samples: readonly number[]): void {
    const most = Math.max(1, ...samples)
    const step = WIDTH / (SECONDS - 1)
    const first = SECONDS - samples.length
    const points = samples.map((value, at) => {
      const y = HEIGHT - 2 - (value / most) * (HEIGHT - 4)
      return `${((first + at) * step).toFixed(1)},${y.toFixed(1)}`
    })
    const start = (first * step).toFixed(1)
    setAttributes(this.#line, { points: points.join(' ') })
    setAttributes(this.#area, {
      points: points.length === 0 ? '' : `${start},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`,
    })
    const label = samples.length === 0 ? 'no rate yet' : `last minute, at most ${megabits(most)} Mb/s`
    setAttributes(this.element, { 'aria-label': label })
  }
}
