// The colors of a page: the one that the options name, and one that can be read on it (WCAG 2.2, 1.4.3 and 1.4.11).

/** Of the dark bar behind the controls. */
const BAR = '#101318'
/** WCAG 1.4.11: parts of a control against what lies beside them. */
const LEAST_CONTRAST = 3
const LIGHTER_STEP = 0.1

/** A style sheet with custom properties. */
export function renderTheme(color: string): string {
  const onBar = readableOn(BAR, color)
  return `:root { --accent: ${onBar}; --on-accent: ${textOn(onBar)}; }\n`
}

/** The color itself, or as much lighter as it takes to be seen on a dark background. */
function readableOn(background: string, color: string): string {
  for (let share = 0; share < 1; share += LIGHTER_STEP) {
    const mixed = mixWithWhite(color, share)
    if (contrast(mixed, background) >= LEAST_CONTRAST) return mixed
  }
  return '#ffffff'
}

function textOn(background: string): string {
  return contrast('#000000', background) >= contrast('#ffffff', background) ? '#000000' : '#ffffff'
}

/** WCAG 2.2, contrast ratio. */
function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((one, two) => one - two)
  return (lighter + 0.05) / (darker + 0.05)
}

/** WCAG 2.2, relative luminance. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = channelsOf(color).map((value) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function mixWithWhite(color: string, share: number): string {
  const mixed = channelsOf(color).map((value) => Math.round(value + (255 - value) * share))
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

function channelsOf(color: string): readonly number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
}
