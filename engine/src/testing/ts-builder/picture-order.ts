// Plans the pictures of a video track and the order in which they are sent: closed GOPs (I P B B P B B) or open ones,
// whose key picture is followed by B pictures that are shown before it.

export interface Picture {
  readonly type: 'I' | 'P' | 'B'
  /** First of its GOP in sending order. */
  readonly key: boolean
  /** Position in sending order, from 0. */
  readonly decode: number
  /** Position in display order, from 0. */
  readonly display: number
  /** Display position of the first picture of its GOP that is shown. */
  readonly gopDisplay: number
  /** Display positions of the reference pictures: for P the one before, for B the ones around it. */
  readonly refers: readonly number[]
}

export function orderPictures(plan: {
  readonly count: number
  readonly gopFrames: number
  readonly bFrames: number
  readonly open: boolean
}): readonly Picture[] {
  const gap = plan.bFrames + 1
  const pictures: Picture[] = []
  const perGop = plan.open ? Math.max(1, Math.round(plan.gopFrames / gap)) * gap : plan.gopFrames
  let previous = -1
  let gopDisplay = 0
  for (let display = 0; display < plan.count;) {
    const key = display === 0 || (plan.open ? display % perGop === 0 : display - gopDisplay >= perGop)
    if (key) gopDisplay = plan.open ? previous + 1 : display
    const place = { decode: pictures.length, display, gopDisplay }
    pictures.push({ type: key ? 'I' : 'P', key, ...place, refers: key ? [] : [previous] })
    for (let between = previous + 1; between < display; between++) {
      const refers = [previous, display]
      pictures.push({ type: 'B', key: false, decode: pictures.length, display: between, gopDisplay, refers })
    }
    previous = display
    const end = plan.open ? plan.count : Math.min(plan.count, gopDisplay + perGop)
    display = nextAnchor(display, gap, end)
  }
  return pictures
}

/** The next reference picture: `gap` further, or the last of the GOP, or the first of the next GOP. */
function nextAnchor(display: number, gap: number, end: number): number {
  if (display === end - 1) return end
  return Math.min(display + gap, end - 1)
}
