// A small chart of one number over the last minutes.

const chartSamples = 120;

/** A card with the number now, and its past. */
class Chart {
  constructor(title, kind, text) {
    this.text = text;
    this.title = title;
    this.samples = [];
    this.value = el('div', {class: 'value'}, '-');
    this.peak = el('span', {class: 'peak muted'});
    this.svg = this.drawing();
    this.node = el('div', {class: `card chart ${kind}`}, el('div', {class: 'chart-head'}, el('h3', {}, title), this.peak),
      this.value, this.svg);
  }

  drawing() {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', `0 0 ${chartSamples - 1} 40`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('role', 'img');
    for (const kind of ['area', 'line']) {
      const path = document.createElementNS(svg.namespaceURI, 'path');
      path.setAttribute('class', kind);
      svg.append(path);
    }
    return svg;
  }

  add(value) {
    this.samples.push(value);
    if (this.samples.length > chartSamples) this.samples.shift();
    const most = Math.max(...this.samples);
    setText(this.value, this.text(value));
    setText(this.peak, most > 0 ? `peak ${this.text(most)}` : '');
    this.svg.setAttribute('aria-label', `${this.title}: ${this.text(value)}, at most ${this.text(most)} lately`);
    this.draw(Math.max(most, 1));
  }

  draw(most) {
    const first = chartSamples - this.samples.length;
    const line = this.samples.map((value, i) => `${first + i} ${(39 - 37 * value / most).toFixed(2)}`).join('L');
    const [area, stroke] = this.svg.children;
    stroke.setAttribute('d', `M${line}`);
    area.setAttribute('d', `M${first} 40L${line}L${chartSamples - 1} 40Z`);
  }
}
