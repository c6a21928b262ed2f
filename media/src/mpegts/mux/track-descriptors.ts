// The descriptors that a PMT gives with a track, ISO/IEC 13818-1 2.6.8 and 2.6.18.
import { LANGUAGE_DESCRIPTOR, REGISTRATION_DESCRIPTOR } from '../descriptors.js'

/** registration_descriptor with its format_identifier: four letters. */
export function renderRegistration(identifier: string): Uint8Array {
  return Uint8Array.of(REGISTRATION_DESCRIPTOR, 4, ...letters(identifier))
}

/** ISO_639_language_descriptor; empty without a code of three letters. */
export function renderLanguage(language: string | undefined): Uint8Array {
  if (language === undefined || !/^[a-z]{3}$/i.test(language)) return new Uint8Array(0)
  return Uint8Array.of(LANGUAGE_DESCRIPTOR, 4, ...letters(language.toLowerCase()), 0)
}

function letters(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0) & 0xff)
}
