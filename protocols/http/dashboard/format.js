// Numbers, times and payloads for people.

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', {notation: 'compact', maximumFractionDigits: 1});

const countText = (n) => (n < 100000 ? whole.format(n) : short.format(n));
const rateText = (n) => (n > 0 && n < 9.95 ? n.toFixed(1) : countText(Math.round(n)));

function bytesText(n) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  for (; n >= 1024 && unit + 1 < units.length; ++unit) n /= 1024;
  return `${unit === 0 ? n : n.toFixed(1)} ${units[unit]}`;
}

function durationText(ms) {
  const seconds = Math.floor(ms / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (ms < 1000) return `${ms} ms`;
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return seconds % 60 ? `${minutes} m ${seconds % 60} s` : `${minutes} m`;
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} m` : `${hours} h`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const timeText = (nanoseconds) => new Date(nanoseconds / 1e6).toLocaleString();
const plural = (n, noun) => `${whole.format(n)} ${noun}${n === 1 ? '' : 's'}`;

/** The bytes of base64 text. */
const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

/** Base64 of text in UTF-8. */
function base64Of(text) {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Bytes as text where they are UTF-8 without control characters, else in hexadecimal. */
function bytesShown(bytes) {
  try {
    const text = new TextDecoder('utf-8', {fatal: true}).decode(bytes);
    if (!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(text)) return text;
  } catch { /* no UTF-8 */ }
  const shown = Array.from(bytes.subarray(0, 512), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return bytes.length > 512 ? `${shown} ... (${plural(bytes.length, 'byte')})` : shown;
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
