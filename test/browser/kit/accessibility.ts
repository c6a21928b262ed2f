// What a page owes to people who do not see it well or have no mouse (WCAG 2.2, AA), computed in the browser: names of
// controls (4.1.2), sizes (2.5.8), contrast of text (1.4.3), a visible focus (2.4.7), width of a phone (1.4.10).
import type { Page } from 'playwright-core'

/** Returns a sentence for each fault. */
export async function checkAccessibility(page: Page): Promise<readonly string[]> {
  const faults = [...(await page.evaluate(findBadControls)), ...(await page.evaluate(findFaintTexts))]
  return [...faults, ...(await checkFocus(page))]
}

/** Each control that Tab reaches is outlined. */
async function checkFocus(page: Page): Promise<readonly string[]> {
  const faults: string[] = []
  const count = await page
    .locator('a:visible, button:visible:not(:disabled), input:visible:not(:disabled), summary:visible')
    .count()
  for (let pressed = 0; pressed < count; pressed++) {
    await page.keyboard.press('Tab')
    const fault = await page.evaluate(() => {
      const element = document.activeElement
      if (element === null || element === document.body) return undefined
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const isSeen = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2
      return isSeen ? undefined : `${element.tagName} ${element.id} shows no focus`
    })
    if (fault !== undefined) faults.push(fault)
  }
  return faults
}

/** Runs in the page. */
function findBadControls(): string[] {
  const MIN_SIZE = 24
  const faults: string[] = []
  const isShown = (element: Element): boolean => {
    const { width, height } = element.getBoundingClientRect()
    return width > 1 && height > 1 && getComputedStyle(element).visibility === 'visible'
  }
  const nameOf = (element: Element): string => {
    const label = element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? ''
    return (label === '' ? (element.textContent ?? '') : label).trim()
  }
  if (document.documentElement.lang === '') faults.push('the page names no language')
  if (document.querySelectorAll('h1').length !== 1) faults.push('the page needs one h1')
  if (document.documentElement.scrollWidth > window.innerWidth) faults.push('the page is wider than the window')
  const check = (control: Element): void => {
    if (!isShown(control)) return
    const { width, height } = control.getBoundingClientRect()
    const about = `${control.tagName} ${control.id}`
    if (nameOf(control) === '') faults.push(`${about} has no name`)
    if (width < MIN_SIZE || height < MIN_SIZE) faults.push(`${about} is ${width} x ${height}`)
  }
  for (const control of document.querySelectorAll('a, button, input, select, summary')) check(control)
  return faults
}

/** Runs in the page: texts that do not stand out from what is behind them. */
function findFaintTexts(): string[] {
  const MIN_CONTRAST = 4.5
  const MIN_CONTRAST_LARGE = 3
  type Color = readonly [number, number, number, number]
  const colorOf = (text: string): Color => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number)
    return [red, green, blue, alpha]
  }
  const over = (above: Color, below: Color): Color => {
    const mix = (index: 0 | 1 | 2): number => above[index] * above[3] + below[index] * (1 - above[3])
    return [mix(0), mix(1), mix(2), 1]
  }
  /** Over a picture of any color. */
  const backgrounds = (element: Element): readonly Color[] => {
    const layers: Color[] = []
    for (let each: Element | null = element; each !== null; each = each.parentElement) {
      layers.push(colorOf(getComputedStyle(each).backgroundColor))
      if (layers.at(-1)![3] === 1) break
      if (each.id === 'player')
        return [[255, 255, 255, 1] as const, [0, 0, 0, 1] as const].map((base) =>
          layers.reduceRight((below, above) => over(above, below), base as Color),
        )
    }
    return [layers.reduceRight((below, above) => over(above, below), [255, 255, 255, 1] as Color)]
  }
  const luminance = (color: Color): number => {
    const [red, green, blue] = [color[0], color[1], color[2]].map((value) => {
      const share = value / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
  }
  const contrast = (text: Color, background: Color): number => {
    const lights = [luminance(over(text, background)), luminance(background)].sort((a, b) => a - b)
    return (lights[1]! + 0.05) / (lights[0]! + 0.05)
  }
  const isText = (node: Node): boolean => {
    const { width, height } = node.parentElement!.getBoundingClientRect()
    const isShown = width > 1 && height > 1 && getComputedStyle(node.parentElement!).visibility === 'visible'
    const isEmpty = node.textContent?.trim() === ''
    return isShown && !isEmpty && node.parentElement!.closest('script, style, option, noscript, :disabled') === null
  }
  const faults: string[] = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (!isText(node)) continue
    const { color, fontSize } = getComputedStyle(node.parentElement!)
    const least = Number.parseFloat(fontSize) >= 24 ? MIN_CONTRAST_LARGE : MIN_CONTRAST
    const ratio = Math.min(
      ...backgrounds(node.parentElement!).map((background) => contrast(colorOf(color), background)),
    )
    if (ratio < least) faults.push(`"${node.textContent?.trim()}" has a contrast of ${ratio.toFixed(2)}`)
  }
  return faults
}
