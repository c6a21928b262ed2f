// Languages of transport streams (ISO 639-2) as playlists name them: tags of BCP 47, and names for people.

const UNDETERMINED = 'und'
/** ETSI EN 300 468 annex F: the language in which it was made, whichever that is. */
const ORIGINAL = 'qaa'
/** Slow to make. */
const NAMES = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' })

/** `code`: three letters, or an empty string if the stream does not say. */
export function languageTag(code: string): string {
  if (!/^[a-z]{3}$/.test(code)) return UNDETERMINED
  return Intl.getCanonicalLocales(code)[0] ?? UNDETERMINED
}

/** In English; an empty string if it has none. */
export function languageName(tag: string): string {
  if (tag === UNDETERMINED) return ''
  if (tag === ORIGINAL) return 'Original'
  return NAMES.of(tag) ?? tag
}
