/* SPDX-License-Identifier: Apache-2.0 */
/* page.js - the hits as a list to work with: search, filters, order, groups, notes. Builds everything
 * out of text nodes, so that no text of the evidence can become markup; asks for nothing; the page is
 * complete without it. Numbers of all hits are read at once, texts when their rows are looked at. */
(async function () {
  'use strict';
  const root = document.documentElement;
  const ROW = 54;
  const SPARE = 8;
  const TALLEST = 8000000; /* pixels of the list: browsers lose count of more */
  const LISTED = 50;
  const FIELD = '\t', ITEM = '\x1f', PART = '\x1e';
  const TAGS = ['', 'follow up', 'relevant', 'harmless', 'done'];
  const ORDERS = [
    ['verdict', 'By verdict, gravest ground first'], ['place', 'By place in the evidence'], ['path', 'By path'], ['oldest', 'By time modified, oldest first'],
    ['newest', 'By time modified, newest first'], ['size', 'By size'], ['places', 'By number of places'], ['server', 'By mail server']
  ];

  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) node.setAttribute(name, value === true ? '' : value);
    }
    for (const child of children) if (child !== null) node.append(child);
    return node;
  }
  const number = n => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  const split = (text, by) => (text ? text.split(by) : []);

  /* ---- the data ---- */
  async function unpack(id) {
    const packed = atob(document.getElementById(id).textContent);
    const bytes = new Uint8Array(packed.length);
    for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    return new Response(stream).text();
  }
  const data = JSON.parse(await unpack('hits-data'));
  const N = data.hits;
  const { c_verdict: verdictOf, h_content: contentOf } = data;
  const words = (kind, numbers) => row => data.tables[kind][data[numbers][row]];
  const scenarioOf = words('scenario', 'c_scenario'), ruleOf = words('rule', 'c_rule'), viewOf = words('view', 'c_view');
  const stateOf = words('state', 'h_state'), placeOf = words('place', 'h_place');
  const placesOf = new Uint32Array(data.contents);
  for (let i = 0; i < N; i++) placesOf[contentOf[i]]++;

  /* One text for each row, in blocks. */
  class Column {
    constructor(name) {
      this.name = name;
      [this.size, this.n] = data.columns[name];
      this.blocks = [];
      this.loading = [];
    }

    load(block) {
      if (!this.loading[block]) this.loading[block] = unpack(this.name + '-' + block).then(text => {
        this.blocks[block] = { rows: text.split('\n'), text };
      });
      return this.loading[block];
    }

    get(row) {
      const block = this.blocks[Math.floor(row / this.size)];
      return block ? block.rows[row % this.size] : undefined;
    }

    async fetch(row) {
      await this.load(Math.floor(row / this.size));
      return this.get(row);
    }

    async all() {
      for (let block = 0; block < this.n; block++) await this.load(block);
    }

    /* Calls mark for each row that holds word, which is in lower case. */
    find(word, mark) {
      for (let b = 0; b < this.n; b++) {
        const block = this.blocks[b];
        if (block.lower === undefined) prepare(block);
        let row = 0;
        for (let at = block.lower.indexOf(word); at >= 0; at = block.lower.indexOf(word, block.ends[row])) {
          while (block.ends[row] <= at) row++;
          mark(b * this.size + row);
        }
      }
    }
  }
  function prepare(block) {
    block.lower = block.text.toLowerCase();
    block.text = null;
    block.ends = new Uint32Array(block.rows.length);
    for (let row = 0, at = 0; row < block.rows.length; row++) {
      at = block.lower.indexOf('\n', at) + 1;
      block.ends[row] = at || block.lower.length;
      if (!at) break;
    }
  }
  const columns = {};
  for (const name of Object.keys(data.columns)) columns[name] = new Column(name);
  const SEARCHED = [['name', false], ['about', true], ['text', true], ['id', false], ['place', false]];

  /* All that is searched is unpacked once the list stands, a block at a time. */
  let readyToSearch = null;
  function readAll() {
    if (!readyToSearch) readyToSearch = (async () => {
      for (const [name] of SEARCHED) for (let block = 0; block < columns[name].n; block++) {
        await columns[name].load(block);
        if (columns[name].blocks[block].lower === undefined) prepare(columns[name].blocks[block]);
        await new Promise(done => setTimeout(done));
      }
    })();
    return readyToSearch;
  }

  async function indexOf(id) {
    for (let block = 0; block < columns.id.n; block++) {
      await columns.id.load(block);
      const row = columns.id.blocks[block].rows.indexOf(id);
      if (row >= 0) return block * columns.id.size + row;
    }
    return -1;
  }

  async function aboutOf(content) {
    const [sha256, strings, profile, reason, indicators, corroboration, grounds, matches, namespace] = (await columns.about.fetch(content)).split(FIELD);
    const parts = text => split(text, ITEM).map(item => item.split(PART));
    return { sha256, strings, profile, reason, indicators: parts(indicators), corroboration: split(corroboration, ITEM), grounds: parts(grounds), matches: parts(matches), namespace };
  }

  function gistOf(content) {
    const row = columns.gist.get(content);
    if (row === undefined) return '…';
    const [server, to, files, strings] = row.split(FIELD);
    const parts = [['through ', server], ['to ', to], ['with ', files]].filter(([, value]) => value);
    return parts.length ? 'Mail ' + parts.map(part => part.join('')).join(', ') : strings ? 'Strings ' + strings.replaceAll(';', ', ') : 'No mail address or server in plain text';
  }
  const nameOf = hit => { const row = columns.name.get(hit); return row === undefined ? '…' : row.replace(/\t$/, '').replace(FIELD, ' !/ '); };

  /* ---- notes: those of the case, then what the browser keeps; and as a file ---- */
  const store = 'triage-notes-' + data.report;
  const notes = new Map(data.notes);
  let noted = new Map(); /* number of the hit -> its note */
  try {
    for (const [id, note] of JSON.parse(localStorage.getItem(store) || '[]')) notes.set(id, note);
  } catch (problem) { /* no storage for local files: the notes live until the page is closed */ }
  const openNotes = () => [...notes].filter(([, note]) => note.tag || note.text);

  async function findNotes() {
    const found = new Map();
    for (const [id, note] of openNotes()) {
      const hit = await indexOf(id);
      if (hit >= 0) found.set(hit, note);
    }
    noted = found;
    drawn = '';
  }

  async function keepNote(id, tag, text) {
    notes.set(id, { tag, text });
    try {
      localStorage.setItem(store, JSON.stringify([...notes]));
    } catch (problem) { /* as above */ }
    paintSave();
    await findNotes();
  }
  const paintSave = () => { saveButton.textContent = 'Save notes (' + openNotes().length + ')'; };

  function saveNotes() {
    const list = [...notes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, note]) => ({ hit_id: id, tag: note.tag, note: note.text }));
    const file = new Blob([JSON.stringify({ triage_notes: 1, report: data.report, notes: list }, null, 2) + '\n'], { type: 'application/json' });
    const link = el('a', { href: URL.createObjectURL(file), download: 'notes-' + data.report + '.json' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function loadNotes(event) {
    const file = event.target.files[0];
    if (!file) return;
    try {
      const read = JSON.parse(await file.text());
      let n = 0;
      for (const note of read.notes) if (await indexOf(String(note.hit_id)) >= 0) {
        await keepNote(note.hit_id, String(note.tag || ''), String(note.note || ''));
        n++;
      }
      await apply();
      say(number(n) + ' of ' + number(read.notes.length) + ' notes belong to hits of this report');
    } catch (problem) {
      say('this file holds no notes of a triage report');
    }
  }

  /* ---- controls ---- */
  const explorer = document.getElementById('explorer');
  const verdictsOn = new Set(data.verdicts.map((verdict, index) => index));
  const search = el('input', { type: 'search', id: 'find', placeholder: 'Path, server, address, digest, text …', autocomplete: 'off', spellcheck: 'false' });
  const count = el('p', { class: 'found', role: 'status' });
  const saveButton = el('button', { type: 'button', onclick: saveNotes });
  const fileInput = el('input', { type: 'file', accept: 'application/json,.json', class: 'hidden-file', tabindex: '-1', 'aria-label': 'Read notes from a file', onchange: loadNotes });
  let selected = 0;
  let shown = new Uint32Array(0);
  let inGroup = null; /* found hits of each content, where one row stands for all of them */
  let timer = 0;

  /* A choice among the words of a table; its value is the word's number. */
  function options(label, all, list, titles) {
    const select = el('select', { onchange: () => apply(), 'aria-label': label }, el('option', { value: '' }, all));
    const order = list.map((word, index) => [word, index]).filter(([word]) => word).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [word, index] of order) select.append(el('option', { value: String(index) }, (titles && titles[word]) || word));
    return select;
  }
  const { scenario: scenarios, rule: rules, view: views, state: states, place: places } = data.tables;
  const scenario = options('Scenario', 'Any scenario', scenarios);
  const state = options('State', 'Any state', states);
  const rule = options('Rule', 'Any rule', rules);
  const place = options('Volume', 'Any volume', places);
  const view = options('View', 'Any view', views);
  const tag = options('Tag', 'Any tag', TAGS);
  const day = label => el('input', { type: 'text', size: '10', placeholder: 'YYYY-MM-DD', pattern: '\\d{4}(-\\d\\d){0,2}', 'aria-label': label, onchange: () => apply() });
  const which = el('select', { 'aria-label': 'Which time', onchange: () => apply() }, el('option', { value: 'h_modified' }, 'Modified'), el('option', { value: 'h_created' }, 'Created'));
  const from = day('From this day on (UTC)');
  const to = day('Until this day (UTC)');
  const order = el('select', { 'aria-label': 'Order', onchange: () => apply() }, ...ORDERS.map(([value, text]) => el('option', { value }, text)));
  const grouped = el('input', { type: 'checkbox', id: 'grouped', onchange: () => apply() });
  const hitsOf = new Uint32Array(data.verdicts.length);
  for (let i = 0; i < N; i++) hitsOf[verdictOf[contentOf[i]]]++;
  const chips = data.verdicts.map((verdict, index) => {
    const chip = el('button', { type: 'button', class: 'chip ' + verdict.id, 'aria-pressed': 'true', onclick: () => toggle(index) },
      el('span', { class: 'mark', 'aria-hidden': 'true' }, verdict.mark), ' ' + verdict.title + ' ', el('span', { class: 'count' }, number(hitsOf[index])));
    chip.hidden = hitsOf[index] === 0;
    return chip;
  });
  const paintChips = () => chips.forEach((chip, index) => chip.setAttribute('aria-pressed', String(verdictsOn.has(index))));

  /* The first choice shows that verdict alone; the last one taken away shows all again. */
  function toggle(index) {
    if (verdictsOn.size === data.verdicts.length) {
      verdictsOn.clear();
      verdictsOn.add(index);
    } else if (verdictsOn.has(index)) verdictsOn.delete(index);
    else verdictsOn.add(index);
    if (!verdictsOn.size) data.verdicts.forEach((verdict, i) => verdictsOn.add(i));
    paintChips();
    apply();
  }

  function clear() {
    search.value = '';
    for (const select of [scenario, state, rule, place, view, tag, from, to]) select.value = '';
    data.verdicts.forEach((verdict, index) => verdictsOn.add(index));
    paintChips();
    apply();
  }

  const themes = ['Theme: as the system', 'Theme: light', 'Theme: dark'];
  let theme = 0;
  const themeButton = el('button', { type: 'button', onclick: () => {
    theme = (theme + 1) % themes.length;
    if (theme) root.dataset.theme = ['', 'light', 'dark'][theme];
    else delete root.dataset.theme;
    themeButton.textContent = themes[theme];
  } }, themes[0]);

  const say = text => { count.textContent = text; };

  /* ---- filter, group, order ---- */
  let cached = new Map();
  /* Which hits hold the word anywhere: one byte each. */
  function matched(word) {
    if (cached.has(word)) return cached.get(word);
    const found = new Uint8Array(N), contents = new Uint8Array(data.contents);
    const spelled = word.includes('\\') ? [word, word.replaceAll('\\', '\\\\')] : [word];
    for (const spelling of spelled) for (const [name, ofContent] of SEARCHED)
      columns[name].find(spelling, row => { (ofContent ? contents : found)[row] = 1; });
    const within = list => list.map(text => text.toLowerCase().includes(word));
    const [inRules, inViews, inScenarios, inPlaces] = [rules, views, scenarios, places].map(within);
    for (let c = 0; c < data.contents; c++)
      if (inRules[data.c_rule[c]] || inViews[data.c_view[c]] || inScenarios[data.c_scenario[c]]) contents[c] = 1;
    for (let i = 0; i < N; i++) if (contents[contentOf[i]] || inPlaces[data.h_place[i]]) found[i] = 1;
    for (const [hit, note] of noted) if ((note.tag + ' ' + note.text).toLowerCase().includes(word)) found[hit] = 1;
    if (cached.size > 8) cached = new Map();
    cached.set(word, found);
    return found;
  }

  const daySeconds = text => { const [y, m, d] = text.split('-').map(Number); return Date.UTC(y, (m || 1) - 1, d || 1) / 1000; };
  function dayAfter(text) { /* the first second after the day, month or year */
    const [y, m, d] = text.split('-').map(Number);
    return (d ? Date.UTC(y, m - 1, d + 1) : m ? Date.UTC(y, m, 1) : Date.UTC(y + 1, 0, 1)) / 1000;
  }

  function filtered(sets) {
    const contents = new Uint8Array(data.contents);
    const [wantScenario, wantRule, wantView, wantState, wantPlace] = [scenario, rule, view, state, place].map(select => (select.value === '' ? -1 : Number(select.value)));
    for (let c = 0; c < data.contents; c++) contents[c] = verdictsOn.has(verdictOf[c]) && (wantScenario < 0 || data.c_scenario[c] === wantScenario) &&
      (wantRule < 0 || data.c_rule[c] === wantRule) && (wantView < 0 || data.c_view[c] === wantView);
    const valid = input => /^\d{4}(-\d\d){0,2}$/.test(input.value);
    const least = valid(from) ? daySeconds(from.value) : -Infinity, most = valid(to) ? dayAfter(to.value) : Infinity;
    const timed = valid(from) || valid(to), times = data[which.value];
    const wantTag = tag.value === '' ? '' : TAGS[tag.value];
    const found = new Uint32Array(N);
    let n = 0;
    for (let i = 0; i < N; i++) {
      if (!contents[contentOf[i]] || (wantState >= 0 && data.h_state[i] !== wantState) || (wantPlace >= 0 && data.h_place[i] !== wantPlace)) continue;
      if (timed && (times[i] === null || times[i] < least || times[i] >= most)) continue;
      if (wantTag && (!noted.has(i) || noted.get(i).tag !== wantTag)) continue;
      if (sets.every(set => set[i])) found[n++] = i;
    }
    return found.subarray(0, n);
  }

  function groupedRows(found) {
    inGroup = null;
    if (!grouped.checked) return found;
    inGroup = new Uint32Array(data.contents);
    return found.filter(hit => inGroup[contentOf[hit]]++ === 0);
  }

  const ranks = {};
  async function rankBy(name) {
    if (ranks[name]) return ranks[name];
    await columns[name === 'path' ? 'name' : 'gist'].all();
    const keys = new Array(N);
    for (let i = 0; i < N; i++) keys[i] = name === 'path' ? columns.name.get(i) : columns.gist.get(contentOf[i]).split(FIELD)[0] || '\uffff';
    const sorted = Uint32Array.from(keys.keys()).sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b));
    const rank = ranks[name] = new Uint32Array(N);
    sorted.forEach((hit, at) => { rank[hit] = at; });
    return rank;
  }

  async function ordered(rows) {
    const by = key => rows.slice().sort((a, b) => key(a) - key(b) || a - b);
    const modified = missing => hit => (data.h_modified[hit] === null ? missing : data.h_modified[hit]);
    switch (order.value) {
      case 'place': return rows;
      case 'path': case 'server': { const rank = await rankBy(order.value); return by(hit => rank[hit]); }
      case 'oldest': return by(modified(Number.MAX_SAFE_INTEGER));
      case 'newest': return by(hit => -modified(-Number.MAX_SAFE_INTEGER)(hit));
      case 'size': return by(hit => -data.c_size[contentOf[hit]]);
      case 'places': return by(hit => -placesOf[contentOf[hit]]);
      default: return by(hit => verdictOf[contentOf[hit]] * 10000 + data.c_rank[contentOf[hit]]);
    }
  }

  let runs = 0;
  async function apply() {
    const run = ++runs;
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length) {
      say('searching …');
      await readAll();
      if (run !== runs) return;
    }
    const found = filtered(wanted.map(matched));
    const rows = await ordered(groupedRows(found));
    if (run !== runs) return;
    shown = rows;
    say(number(found.length) + ' of ' + number(N) + ' hits' + (inGroup ? ' in ' + number(shown.length) + ' contents' : '') +
      (data.left_out ? '; ' + number(data.left_out) + ' more stand in hits.csv' : ''));
    list.setAttribute('aria-rowcount', String(shown.length));
    selected = 0;
    drawn = '';
    size();
    list.scrollTop = 0;
    await draw();
  }

  /* ---- the list: only the rows in sight exist; a very long one is squeezed into what browsers bear ---- */
  const space = el('div', { class: 'space', role: 'presentation' });
  const list = el('div', { class: 'list', role: 'grid', tabindex: '0', 'aria-label': 'Hits', 'aria-colcount': '1' }, space);
  let drawn = '';
  let squeeze = 1; /* pixels of the list for each pixel of the scroll bar */

  function size() {
    const whole = shown.length * ROW, height = Math.min(whole, TALLEST);
    squeeze = whole > TALLEST ? (whole - list.clientHeight) / (TALLEST - list.clientHeight) : 1;
    space.style.height = height + 'px';
  }

  function rowOf(hit, index, top) {
    const c = contentOf[hit];
    const verdict = data.verdicts[verdictOf[c]];
    const note = noted.get(hit);
    const n = inGroup ? inGroup[c] : 1;
    const tags = el('span', { class: 'tags' });
    for (const text of [note && note.tag ? '★ ' + note.tag : note ? '★ note' : '', n > 1 ? number(n) + ' places' : '',
      stateOf(hit) === 'allocated' ? '' : stateOf(hit), data.h_flags[hit] & 1 ? 'named stream' : '', viewOf(c) === 'raw' ? '' : viewOf(c), scenarioOf(c)])
      if (text) tags.append(el('span', { class: 'tag' }, text));
    const row = el('div', { class: 'row ' + verdict.id, role: 'row', 'aria-rowindex': String(index + 1), 'aria-selected': String(index === selected), id: 'row-' + index },
      el('div', { class: 'cell', role: 'gridcell' },
        el('span', { class: 'mark', title: verdict.title, role: 'img', 'aria-label': verdict.title }, verdict.mark),
        el('span', { class: 'line' }, el('bdi', { class: 'path' }, nameOf(hit)), el('bdi', { class: 'gist' }, gistOf(c))),
        tags));
    row.style.transform = 'translateY(' + top + 'px)';
    row.addEventListener('click', () => { select(index); openHit(hit); });
    return row;
  }

  async function draw() {
    const above = list.scrollTop * squeeze;
    const first = Math.max(0, Math.floor(above / ROW) - SPARE);
    const last = Math.min(shown.length, Math.ceil((above + list.clientHeight) / ROW) + SPARE);
    const now = [first, last, selected, Math.round(above)].join(' ');
    if (now === drawn) return;
    drawn = now;
    const missing = new Set();
    for (let i = first; i < last; i++) {
      const c = contentOf[shown[i]];
      if (columns.name.get(shown[i]) === undefined) missing.add(columns.name.load(Math.floor(shown[i] / columns.name.size)));
      if (columns.gist.get(c) === undefined) missing.add(columns.gist.load(Math.floor(c / columns.gist.size)));
    }
    if (missing.size) {
      await Promise.all(missing);
      if (now !== drawn) return; /* the reader is elsewhere already */
    }
    const rows = [];
    for (let i = first; i < last; i++) rows.push(rowOf(shown[i], i, i * ROW - above + list.scrollTop));
    space.replaceChildren(...rows);
    if (selected >= first && selected < last) list.setAttribute('aria-activedescendant', 'row-' + selected);
    else list.removeAttribute('aria-activedescendant');
  }

  function select(index) {
    selected = Math.max(0, Math.min(shown.length - 1, index));
    const above = list.scrollTop * squeeze;
    if (selected * ROW < above) list.scrollTop = selected * ROW / squeeze;
    else if ((selected + 1) * ROW > above + list.clientHeight) list.scrollTop = ((selected + 1) * ROW - list.clientHeight) / squeeze;
    draw();
  }

  /* ---- one hit ---- */
  const panel = el('aside', { class: 'panel', 'aria-label': 'Hit', tabindex: '-1' });
  panel.hidden = true;
  let opened = -1;

  function pairs(rows) {
    const body = el('tbody');
    for (const [label, value] of rows) if (value !== '' && value !== null && value !== undefined)
      body.append(el('tr', {}, el('th', { scope: 'row' }, label), el('td', {}, value instanceof Node ? value : el('bdi', {}, String(value)))));
    return el('table', { class: 'pairs' }, body);
  }
  function grid(heads, rows, kind) {
    return el('div', { class: 'scroll ' + (kind || ''), tabindex: '0' }, el('table', { class: 'grid' }, el('thead', {}, el('tr', {}, ...heads.map(head => el('th', { scope: 'col' }, head)))),
      el('tbody', {}, ...rows.map(row => el('tr', {}, ...row.map(cell => el('td', {}, el('bdi', {}, cell))))))));
  }
  const timeText = text => !text ? 'none' : text.endsWith('Z') ? text.slice(0, -1).replace('T', ' ') + ' UTC' : text.replace('T', ' ') + (text.includes('T') ? ' local time, zone not recorded' : ' day alone, zone not recorded');
  const offset = value => value === '' ? '' : number(value) + ' (0x' + BigInt(value).toString(16) + ')';

  /* The excerpt's characters with the bytes that each stands for, and whether a match covers it. */
  function unitsOf(text, first, matches) {
    const ranges = matches.map(([, at, length]) => [Number(at), Number(at) + Number(length)]);
    const encoder = new TextEncoder(), units = [];
    let at = Math.max(0, Number(first) - data.before);
    for (const [shownAs] of text.matchAll(/\\x[0-9a-f]{2}|\\.|[^]/gu)) {
      const escaped = shownAs.length > 1 && shownAs.startsWith('\\');
      const bytes = !escaped ? encoder.encode(shownAs) : [shownAs[1] === 'x' ? parseInt(shownAs.slice(2), 16) : { n: 10, t: 9 }[shownAs[1]] || 92];
      units.push({ shownAs, escaped, bytes, at, marked: ranges.some(([begin, end]) => at >= begin && at < end) });
      at += bytes.length;
    }
    return units;
  }
  function runsOf(units, kindOf, textOf, parent) {
    for (let i = 0; i < units.length;) {
      const kind = kindOf(units[i]);
      let text = '';
      for (; i < units.length && kindOf(units[i]) === kind; i++) text += textOf(units[i]);
      parent.append(kind === 'mark' ? el('mark', {}, text) : kind === 'esc' ? el('span', { class: 'esc' }, text) : text);
    }
  }
  function textView(units) {
    const pre = el('pre', { class: 'excerpt', dir: 'ltr', tabindex: '0' });
    runsOf(units, unit => (unit.marked ? 'mark' : unit.escaped ? 'esc' : ''), unit => unit.shownAs + (unit.shownAs === '\\n' ? '\n' : ''), pre);
    return pre;
  }
  function hexView(units) {
    const pre = el('pre', { class: 'hex', dir: 'ltr', tabindex: '0' });
    const bytes = units.flatMap(unit => [...unit.bytes].map((byte, i) => ({ byte, marked: unit.marked, at: unit.at + i })));
    for (let i = 0; i < bytes.length;) {
      const begin = bytes[i].at - bytes[i].at % 16, line = [];
      for (; i < bytes.length && bytes[i].at < begin + 16; i++) line.push(bytes[i]);
      const lead = line[0].at - begin;
      pre.append(begin.toString(16).padStart(8, '0') + '  ' + '   '.repeat(lead));
      runsOf(line, byte => (byte.marked ? 'mark' : ''), byte => byte.byte.toString(16).padStart(2, '0') + ' ', pre);
      pre.append('   '.repeat(16 - lead - line.length) + ' ' + ' '.repeat(lead));
      runsOf(line, byte => (byte.marked ? 'mark' : ''), byte => (byte.byte >= 32 && byte.byte < 127 ? String.fromCharCode(byte.byte) : '.'), pre);
      pre.append('\n');
    }
    return pre;
  }

  function noteForm(hit, id) {
    const note = notes.get(id) || { tag: '', text: '' };
    const choice = el('select', { 'aria-label': 'Tag of this hit' }, ...TAGS.map(text => el('option', { value: text }, text || 'no tag')));
    if (!TAGS.includes(note.tag)) choice.append(el('option', { value: note.tag }, note.tag));
    choice.value = note.tag;
    const text = el('textarea', { rows: '2', 'aria-label': 'Note on this hit', placeholder: 'Your note; "Save notes" writes all of them to a file for triage report --notes' });
    text.value = note.text;
    const keep = async () => { cached = new Map(); await keepNote(id, choice.value, text.value.trim()); draw(); };
    choice.addEventListener('change', keep);
    text.addEventListener('change', keep);
    return el('div', { class: 'noting' }, el('h5', {}, 'Your note'), choice, text);
  }

  async function samePlaces(hit) {
    const others = [];
    for (let i = 0; i < N && others.length <= LISTED; i++) if (contentOf[i] === contentOf[hit] && i !== hit) others.push(i);
    if (!others.length) return '';
    const items = [];
    for (const other of others.slice(0, LISTED)) {
      await columns.name.fetch(other);
      items.push(el('li', {}, el('a', { href: '#' + await columns.id.fetch(other) }, el('bdi', {}, placeOf(other) + ': ' + nameOf(other)))));
    }
    const all = placesOf[contentOf[hit]] - 1;
    return el('div', {}, el('h5', {}, 'The same content elsewhere (' + number(all) + ')'), el('ul', { class: 'places' }, ...items),
      all > LISTED ? el('p', { class: 'cap' }, number(LISTED) + ' of ' + number(all) + ' other places are listed; search for the digest to see all.') : '');
  }

  function groundsOf(about) {
    const parts = [];
    for (const [weight, title] of Object.entries(data.weights)) {
      const items = about.grounds.filter(ground => ground[0] === weight).map(([, id, text]) => el('li', {}, el('bdi', {}, text), ' ', el('span', { class: 'id' }, id)));
      if (items.length) parts.push(el('h5', {}, title), el('ul', { class: 'grounds ' + weight }, ...items));
    }
    if (about.corroboration.length) parts.push(el('h5', {}, 'Objects of the evidence that bear it out'), el('ul', {}, ...about.corroboration.map(text => el('li', {}, el('bdi', {}, text)))));
    return parts;
  }

  function excerptOf(text, first, about) {
    if (!text) return [el('p', { class: 'note' }, 'The excerpt stands in hits.jsonl.')];
    const units = unitsOf(text, first, about.matches);
    return [el('h5', {}, 'Text around the first match'), textView(units),
      el('details', { class: 'bytes' }, el('summary', {}, 'The same as bytes, with offsets in the content'), hexView(units))];
  }

  function factsOf(hit, about, placed) {
    const [meta, , , first, image, also, firstByte, volumeOffset] = placed;
    const c = contentOf[hit], sector = data.sectors[placeOf(hit).replace(/, volume \d+$/, '')] || 512;
    const inEvidence = value => value === '' ? '' : offset(value) + ', sector ' + number(BigInt(value) / BigInt(sector)) + ' of ' + number(sector) + ' bytes' +
      (BigInt(value) >= BigInt(volumeOffset) && volumeOffset !== '0' ? ', byte ' + number(BigInt(value) - BigInt(volumeOffset)) + ' of its volume' : '');
    return pairs([['State', stateOf(hit) + (data.h_flags[hit] & 1 ? ', named stream' : '') + (data.h_flags[hit] & 2 ? ', its metadata belongs to another file now' : '')],
      ['Metadata address', meta], ['First match in the content', offset(first)],
      ['First match in the evidence', image === '' ? 'in no one place (compressed, converted or scattered)' : inEvidence(image)],
      ['First block of the object', firstByte === '0' ? 'in the metadata itself, or not known' : inEvidence(firstByte)],
      ['Rule', ruleOf(c) + (about.namespace && about.namespace !== 'default' ? ' (' + about.namespace + ')' : '')], ['Strings', about.strings.replaceAll(';', ', ')], ['Matches', number(data.c_count[c])],
      ['View', viewOf(c) === 'raw' ? 'raw (the bytes as they are)' : viewOf(c)], ['Met again as', also.replaceAll(';', ', ')], ['Size', number(data.c_size[c]) + ' bytes'], ['SHA-256', el('code', {}, about.sha256 || 'not computed')]]);
  }

  function timesOf(placed) {
    const labels = ['Created', 'Modified', 'Metadata changed', 'Accessed'];
    const file = split(placed[1], ITEM), member = split(placed[2], ITEM), name = split(placed[9], ITEM);
    return pairs([...labels.map((label, i) => [label, timeText(file[i])]), ...(name.length ? labels.map((label, i) => [label + ' ($FILE_NAME)', timeText(name[i])]) : []),
      ['Timestomped', placed[10].replaceAll(ITEM, '; ')], ...(member.length ? labels.map((label, i) => ['Member ' + label.toLowerCase(), timeText(member[i])]) : [])]);
  }

  let opening = 0;
  async function openHit(hit) {
    const turn = ++opening;
    const c = contentOf[hit], verdict = data.verdicts[verdictOf[c]];
    const about = await aboutOf(c);
    const [id, name, place, text, hand] = await Promise.all([columns.id.fetch(hit), columns.name.fetch(hit), columns.place.fetch(hit), columns.text.fetch(c), columns.hand.fetch(hit)]);
    const same = await samePlaces(hit);
    if (turn !== opening) return;
    const [path, member] = name.split(FIELD), placed = place.split(FIELD);
    panel.replaceChildren(
      el('div', { class: 'bar' }, el('a', { class: 'anchor', href: '#' + id, title: 'Permanent link to this hit' }, id), el('button', { type: 'button', onclick: closeHit, 'aria-label': 'Close this hit (Escape)' }, '✕')),
      el('p', { class: 'chain' }, placeOf(hit) + (placed[8] ? ' (' + placed[8] + ')' : '') + ' › ', el('bdi', { class: 'path' }, path),
        ...split(member, '!/').flatMap(step => [el('span', { class: 'step' }, ' !/ '), el('bdi', { class: 'path' }, step)])),
      el('div', { class: 'assessment ' + verdict.id }, el('h5', {}, 'Assessment (interpretation)'), el('p', {}, el('strong', {}, verdict.mark + ' ' + verdict.title + '. '), about.reason), pairs([['Scenario', scenarioOf(c)], ['Profile', about.profile]]), ...groundsOf(about)),
      noteForm(hit, id),
      ...(about.indicators.length ? [el('h5', {}, 'What the text would do (read by program)'), pairs(about.indicators.map(([key, value]) => [data.indicators[key] || key, value]))] : []),
      ...excerptOf(text, placed[3], about),
      el('h5', {}, 'Place and content (recorded facts)'), factsOf(hit, about, placed),
      el('h5', {}, 'Times'), timesOf(placed),
      ...(about.matches.length ? [el('details', { class: 'bytes' }, el('summary', {}, number(about.matches.length) + ' of ' + number(data.c_count[c]) + ' matches one by one'),
        grid(['String', 'At byte', 'Length', 'Bytes'], about.matches.map(([key, at, length, bytes]) => [key, number(at), number(length), bytes]), 'matches'))] : []),
      same, el('h5', {}, 'Check it by hand'), el('pre', { class: 'commands', tabindex: '0' }, hand.replaceAll(ITEM, '\n').replaceAll(PART, about.sha256)));
    opened = hit;
    panel.hidden = false;
    panel.scrollTop = 0;
    if (location.hash !== '#' + id) history.replaceState(null, '', '#' + id);
  }

  function closeHit() {
    opening++;
    if (opened < 0) return;
    opened = -1;
    panel.hidden = true;
    history.replaceState(null, '', '#hits');
    list.focus({ preventScroll: true });
  }

  async function follow() {
    const name = location.hash.slice(1);
    const verdict = data.verdicts.findIndex(item => item.id === name);
    if (name.startsWith('H-')) {
      const hit = await indexOf(name);
      if (hit >= 0) await openHit(hit);
    } else if (verdict >= 0) {
      verdictsOn.clear();
      verdictsOn.add(verdict);
      paintChips();
      await apply();
      explorer.scrollIntoView();
    }
  }

  /* ---- keys ---- */
  const help = el('p', { class: 'note' }, 'Keys: ', ...[['/', 'search'], ['↓ ↑ or j k', 'choose'], ['Enter', 'open'], ['Esc', 'close'], ['g', 'group by content'], ['Home End', 'first and last']]
    .flatMap(([key, what], i) => [i ? ' · ' : '', el('kbd', {}, key), ' ' + what]));
  document.addEventListener('keydown', event => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      if (typing) event.target.blur();
      else closeHit();
    } else if (typing) return;
    else if (event.key === '/') { search.focus(); search.select(); event.preventDefault(); }
    else if (event.key === 'g') { grouped.checked = !grouped.checked; apply(); }
    else if (event.key === 'j' || (event.target === list && event.key === 'ArrowDown')) step(event, selected + 1);
    else if (event.key === 'k' || (event.target === list && event.key === 'ArrowUp')) step(event, selected - 1);
    else if (event.target === list && event.key === 'PageDown') step(event, selected + 10);
    else if (event.target === list && event.key === 'PageUp') step(event, selected - 10);
    else if (event.target === list && event.key === 'Home') step(event, 0);
    else if (event.target === list && event.key === 'End') step(event, shown.length - 1);
    else if (event.key === 'Enter' && (event.target === list || event.target === document.body) && selected < shown.length)
      openHit(shown[selected]).then(() => panel.focus({ preventScroll: true }));
  });

  function step(event, index) {
    select(index);
    if (opened >= 0 && selected < shown.length) openHit(shown[selected]);
    event.preventDefault();
  }

  search.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(apply, 120); });
  search.addEventListener('focus', readAll);
  list.addEventListener('scroll', () => requestAnimationFrame(draw), { passive: true });
  window.addEventListener('resize', () => { drawn = ''; size(); draw(); });
  window.addEventListener('hashchange', follow);
  for (const [select, least] of [[scenario, 1], [rule, 2], [place, 2], [view, 2], [state, 2]]) select.hidden = select.options.length - 1 < least;

  explorer.append(
    el('div', { class: 'tools' },
      el('label', { class: 'find', for: 'find' }, 'Search ', search),
      el('div', { class: 'chips', role: 'group', 'aria-label': 'Verdicts' }, ...chips),
      el('div', { class: 'selects' }, scenario, state, rule, place, view, tag, el('span', { class: 'range' }, which, ' ', from, ' – ', to),
        order, el('label', { for: 'grouped' }, grouped, ' one row for each content'), el('button', { type: 'button', onclick: clear }, 'Clear filters')),
      el('div', { class: 'selects' }, count, saveButton, el('button', { type: 'button', onclick: () => fileInput.click() }, 'Read notes'), fileInput, themeButton)),
    list, help);
  document.body.append(panel);
  explorer.hidden = false;
  paintSave();
  await findNotes();
  await apply();
  performance.mark('list-ready');
  await follow();
  setTimeout(readAll, 1500);
})().catch(problem => {
  window.failed(); /* the printed list stands for it */
  throw problem;
});
