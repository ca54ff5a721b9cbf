/* SPDX-License-Identifier: Apache-2.0 */
/* page.js - the hits as a list to work with: search, filters, order, groups, notes. Builds everything
 * out of text nodes, so that no text of the evidence can become markup; asks for nothing; the page is
 * complete without it. */
(async function () {
  'use strict';
  const root = document.documentElement;
  const ROW = 54;
  const SPARE = 8;
  const TAGS = ['', 'follow up', 'relevant', 'harmless', 'done'];
  const ORDERS = [
    ['verdict', 'By verdict'], ['place', 'By place in the evidence'], ['path', 'By path'], ['modified', 'By time modified'],
    ['size', 'By size'], ['places', 'By number of places'], ['server', 'By mail server']
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

  /* ---- the data ---- */
  async function block(id) {
    const packed = atob(document.getElementById(id).textContent);
    const bytes = new Uint8Array(packed.length);
    for (let i = 0; i < packed.length; i++) bytes[i] = packed.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    return JSON.parse(await new Response(stream).text());
  }
  const data = await block('hits-data');
  const contents = data.contents.map(([verdict, sha256, view, rule, strings, count, indicators, scenario, profile,
    reason, grounds, size]) => ({
    verdict, sha256, view, rule, strings, count, indicators, scenario, profile, reason, grounds, size, places: 0
  }));
  const hits = data.hits.map(([content, id, evidence, volume, path, member, meta, state, flags, times, memberTimes, first,
    image, nameTimes, isStomped], index) => ({
    c: contents[content], id: 'H-' + id, evidence, volume, path, member, meta, state, flags, times, memberTimes, first, image, nameTimes, isStomped, index
  }));
  for (const hit of hits) hit.c.places++;
  contents.forEach((content, index) => { content.index = index; });

  /* The texts around the matches are unpacked when somebody asks for them. */
  const blocks = new Map();
  function texts(number) {
    if (!blocks.has(number)) blocks.set(number, block('texts-' + number).then(list => {
      list.forEach((text, i) => { contents[number * data.block + i].excerpt = text; });
    }));
    return blocks.get(number);
  }
  const allTexts = Math.ceil(contents.length / data.block);
  let searchable = false;
  async function searchTexts() {
    if (searchable) return;
    searchable = true;
    for (let i = 0; i < allTexts; i++) await texts(i);
    for (const hit of hits) hit.hay = null;
    if (search.value) apply();
  }
  const byId = new Map(hits.map(hit => [hit.id, hit]));
  const values = (content, ...names) =>
    [...new Set(content.indicators.filter(([name]) => names.includes(name)).map(([, value]) => value))].join('; ');
  const modified = hit => (hit.memberTimes || hit.times)[1];
  const placeName = hit => data.evidence[hit.evidence] + (hit.volume ? ', volume ' + hit.volume : '');

  function gist(content) {
    const parts = [['through ', values(content, 'smtp_server')], ['to ', values(content, 'mail_to', 'mail_cc', 'mail_bcc')],
      ['with ', values(content, 'attachment')]].filter(([, value]) => value);
    return parts.length ? 'Mail ' + parts.map(part => part.join('')).join(', ') : 'Strings ' + content.strings;
  }

  /* ---- notes: kept by the browser where it can, and as a file ---- */
  const store = 'triage-notes-' + data.report;
  let notes = new Map();
  try {
    notes = new Map(JSON.parse(localStorage.getItem(store) || '[]'));
  } catch (problem) { /* no storage for local files: the notes live until the page is closed */ }

  function keepNote(id, tag, text) {
    if (tag || text) notes.set(id, { tag, text });
    else notes.delete(id);
    const hit = byId.get(id);
    if (hit) hit.hay = null;
    try {
      localStorage.setItem(store, JSON.stringify([...notes]));
    } catch (problem) { /* as above */ }
    saveButton.textContent = 'Save notes (' + notes.size + ')';
  }

  function saveNotes() {
    const list = [...notes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, note]) => ({ hit_id: id, tag: note.tag, note: note.text }));
    const file = new Blob([JSON.stringify({ triage_notes: 1, report: data.report, notes: list }, null, 2) + '\n'],
      { type: 'application/json' });
    const link = el('a', { href: URL.createObjectURL(file), download: 'notes-' + data.report + '.json' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function loadNotes(event) {
    const file = event.target.files[0];
    if (!file) return;
    try {
      const read = JSON.parse(await file.text());
      for (const note of read.notes) if (byId.has(note.hit_id)) keepNote(note.hit_id, String(note.tag || ''), String(note.note || ''));
      say(read.notes.length + ' notes read');
    } catch (problem) {
      say('this file holds no notes of a triage report');
    }
    apply();
  }

  /* ---- controls ---- */
  const explorer = document.getElementById('explorer');
  const verdictsOn = new Set(data.verdicts.map((verdict, index) => index));
  const search = el('input', { type: 'search', id: 'find', placeholder: 'Path, server, address, digest, text …', autocomplete: 'off', spellcheck: 'false' });
  const count = el('p', { class: 'found', role: 'status' });
  const saveButton = el('button', { type: 'button', onclick: saveNotes }, 'Save notes (' + notes.size + ')');
  const fileInput = el('input', { type: 'file', accept: 'application/json,.json', class: 'hidden-file', 'aria-label': 'Read notes from a file', onchange: loadNotes });
  let selected = 0;
  let shown = [];
  let timer = 0;

  function options(label, all, list) {
    const select = el('select', { onchange: apply, 'aria-label': label }, el('option', { value: '' }, all));
    for (const value of [...new Set(list)].filter(Boolean).sort()) select.append(el('option', { value }, value));
    return select;
  }
  const scenario = options('Scenario', 'Any scenario', contents.map(content => content.scenario));
  const state = options('State', 'Any state', hits.map(hit => hit.state));
  const rule = options('Rule', 'Any rule', contents.map(content => content.rule));
  const place = options('Volume', 'Any volume', hits.map(placeName));
  const view = options('View', 'Any view', contents.map(content => content.view));
  const tag = options('Tag', 'Any tag', TAGS);
  const day = label => el('input', { type: 'text', size: '10', placeholder: 'YYYY-MM-DD', pattern: '\\d{4}(-\\d\\d){0,2}', 'aria-label': label, onchange: apply });
  const from = day('Modified from (UTC)');
  const to = day('Modified until (UTC)');
  const order = el('select', { 'aria-label': 'Order', onchange: apply }, ...ORDERS.map(([value, text]) => el('option', { value }, text)));
  const grouped = el('input', { type: 'checkbox', id: 'grouped', onchange: apply });
  const chips = data.verdicts.map((verdict, index) => {
    const n = hits.filter(hit => hit.c.verdict === index).length;
    const chip = el('button', { type: 'button', class: 'chip ' + verdict.id, 'aria-pressed': 'true' },
      el('span', { class: 'mark', 'aria-hidden': 'true' }, verdict.mark), ' ' + verdict.title + ' ', el('span', { class: 'count' }, number(n)));
    chip.hidden = n === 0;
    chip.addEventListener('click', () => {
      const others = [...verdictsOn].some(v => v !== index);
      if (verdictsOn.has(index) && verdictsOn.size === data.verdicts.length) {
        verdictsOn.clear();
        verdictsOn.add(index);
      } else if (verdictsOn.has(index)) {
        verdictsOn.delete(index);
        if (!others) data.verdicts.forEach((v, i) => verdictsOn.add(i));
      } else verdictsOn.add(index);
      paintChips();
      apply();
    });
    return chip;
  });
  const paintChips = () => chips.forEach((chip, index) => chip.setAttribute('aria-pressed', String(verdictsOn.has(index))));

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
  function haystack(hit) {
    if (!hit.hay) {
      const note = notes.get(hit.id);
      const c = hit.c;
      hit.hay = [hit.id, hit.path, hit.member, hit.meta, data.evidence[hit.evidence], c.sha256, c.rule, c.view, c.reason, c.profile,
        c.excerpt || '', note ? note.tag + ' ' + note.text : '', ...c.indicators.map(([, value]) => value), ...c.grounds].join('\n').toLowerCase();
    }
    return hit.hay;
  }

  function matches(hit, words) {
    const c = hit.c;
    if (!verdictsOn.has(c.verdict) || (scenario.value && c.scenario !== scenario.value) || (state.value && hit.state !== state.value) ||
      (rule.value && c.rule !== rule.value) || (view.value && c.view !== view.value) || (place.value && placeName(hit) !== place.value))
      return false;
    if (tag.value && (notes.get(hit.id) || {}).tag !== tag.value) return false;
    if (from.value || to.value) {
      const date = modified(hit).slice(0, 10);
      if (!date || (from.value && date < from.value) || (to.value && date.slice(0, to.value.length) > to.value)) return false;
    }
    return words.every(word => haystack(hit).includes(word));
  }

  const KEYS = {
    verdict: item => item.hit.c.verdict, place: item => item.hit.index, path: item => item.hit.path + '\n' + item.hit.member,
    modified: item => modified(item.hit), size: item => -item.hit.c.size, places: item => -item.hit.c.places,
    server: item => values(item.hit.c, 'smtp_server') || '\uffff'
  };

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = hits.filter(hit => matches(hit, words));
    if (grouped.checked) {
      const groups = new Map();
      for (const hit of found) {
        const group = groups.get(hit.c);
        if (group) group.n++;
        else groups.set(hit.c, { hit, n: 1 });
      }
      shown = [...groups.values()];
    } else shown = found.map(hit => ({ hit, n: 1 }));
    const key = KEYS[order.value];
    shown.forEach(item => { item.key = key(item); });
    shown.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.hit.index - b.hit.index));
    say(number(found.length) + ' of ' + number(hits.length) + ' hits' + (grouped.checked ? ' in ' + number(shown.length) + ' contents' : '') +
      (data.left_out ? '; ' + number(data.left_out) + ' more stand in hits.csv' : ''));
    space.style.height = shown.length * ROW + 'px';
    list.setAttribute('aria-rowcount', String(shown.length));
    list.scrollTop = 0;
    selected = 0;
    drawn = '';
    draw();
  }

  /* ---- the list: only the rows in sight exist ---- */
  const space = el('div', { class: 'space', role: 'presentation' });
  const list = el('div', { class: 'list', role: 'grid', tabindex: '0', 'aria-label': 'Hits', 'aria-colcount': '1' }, space);
  let drawn = '';

  function rowOf(item, index) {
    const { hit, n } = item;
    const c = hit.c;
    const verdict = data.verdicts[c.verdict];
    const note = notes.get(hit.id);
    const tags = el('span', { class: 'tags' });
    for (const text of [note && note.tag ? '★ ' + note.tag : note ? '★ note' : '', n > 1 ? number(n) + ' places' : '',
      hit.state === 'allocated' ? '' : hit.state, hit.flags & 1 ? 'named stream' : '', c.view === 'raw' ? '' : c.view, c.scenario])
      if (text) tags.append(el('span', { class: 'tag' }, text));
    const row = el('div', { class: 'row ' + verdict.id, role: 'row', 'aria-rowindex': String(index + 1), 'aria-selected': String(index === selected), id: 'row-' + index },
      el('div', { class: 'cell', role: 'gridcell' },
        el('span', { class: 'mark', title: verdict.title, role: 'img', 'aria-label': verdict.title }, verdict.mark),
        el('span', { class: 'line' }, el('bdi', { class: 'path' }, hit.path + (hit.member ? ' !/ ' + hit.member : '')), el('bdi', { class: 'gist' }, gist(c))),
        tags));
    row.style.transform = 'translateY(' + index * ROW + 'px)';
    row.addEventListener('click', () => { select(index); openHit(hit); });
    return row;
  }

  function draw() {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - SPARE);
    const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + SPARE);
    const now = first + '-' + last + '-' + selected;
    if (now === drawn) return;
    drawn = now;
    const rows = [];
    for (let i = first; i < last; i++) rows.push(rowOf(shown[i], i));
    space.replaceChildren(...rows);
    if (selected >= first && selected < last) list.setAttribute('aria-activedescendant', 'row-' + selected);
    else list.removeAttribute('aria-activedescendant');
  }

  function select(index) {
    selected = Math.max(0, Math.min(shown.length - 1, index));
    if (selected * ROW < list.scrollTop) list.scrollTop = selected * ROW;
    else if ((selected + 1) * ROW > list.scrollTop + list.clientHeight) list.scrollTop = (selected + 1) * ROW - list.clientHeight;
    draw();
  }

  /* ---- one hit ---- */
  const panel = el('aside', { class: 'panel', 'aria-label': 'Hit', tabindex: '-1' });
  panel.hidden = true;
  let opened = null;
  let openedPrinted = null;
  let printedText = null;

  /* The printed form of a hit, where it is one of those: the page's own markup, all text escaped. */
  function printedHit(id) {
    const there = document.getElementById(id);
    if (there) return there.closest('.hit');
    const source = document.querySelector('noscript#static-hits');
    if (!source) return null;
    if (printedText === null && document.readyState !== 'loading') printedText = source.textContent;
    const at = printedText === null ? -1 : printedText.indexOf('article class="place" id="' + id + '">');
    if (at < 0) return null;
    const begin = printedText.lastIndexOf('<details class="hit ', at);
    const end = printedText.indexOf('</details>', at);
    return new DOMParser().parseFromString(printedText.slice(begin, end), 'text/html').querySelector('.hit');
  }

  function pairs(rows) {
    const body = el('tbody');
    for (const [label, value] of rows) if (value !== '' && value !== null && value !== undefined)
      body.append(el('tr', {}, el('th', { scope: 'row' }, label), el('td', {}, el('bdi', {}, String(value)))));
    return el('table', { class: 'pairs' }, body);
  }
  const timeText = text => !text ? 'none' : text.endsWith('Z') ? text.slice(0, -1).replace('T', ' ') + ' UTC' : text.replace('T', ' ') + (text.includes('T') ? ' local time, zone not recorded' : ' day alone, zone not recorded');
  const offset = value => value === null ? '' : number(value) + ' (0x' + BigInt(value).toString(16) + ')';

  function excerpt(hit) {
    const pre = el('pre', { class: 'excerpt', dir: 'ltr' });
    const full = opened === hit && openedPrinted && openedPrinted.querySelector('.excerpt');
    if (full) return full.cloneNode(true); /* with the matches marked */
    const text = hit.c.excerpt;
    if (text === undefined) {
      texts(Math.floor(hit.c.index / data.block)).then(() => pre.replaceWith(excerpt(hit)));
      return pre;
    }
    if (text === null) return el('p', { class: 'note' }, 'The excerpt stands in hits.jsonl.');
    for (const piece of text.split(/(\\x[0-9a-f]{2}|\\.)/)) {
      if (!piece.startsWith('\\')) pre.append(piece);
      else {
        pre.append(el('span', { class: 'esc' }, piece));
        if (piece === '\\n') pre.append('\n');
      }
    }
    return pre;
  }

  function noteForm(hit) {
    const note = notes.get(hit.id) || { tag: '', text: '' };
    const choice = el('select', { 'aria-label': 'Tag of this hit' }, ...TAGS.map(text => el('option', { value: text }, text || 'no tag')));
    choice.value = note.tag;
    const text = el('textarea', { rows: '3', 'aria-label': 'Note on this hit', placeholder: 'Your note; "Save notes" writes all of them to a file' });
    text.value = note.text;
    const keep = () => { keepNote(hit.id, choice.value, text.value.trim()); drawn = ''; draw(); };
    choice.addEventListener('change', keep);
    text.addEventListener('change', keep);
    return el('div', { class: 'noting' }, el('h5', {}, 'Your note'), choice, text);
  }

  function samePlaces(hit) {
    const others = hits.filter(other => other.c === hit.c && other !== hit);
    if (!others.length) return null;
    const items = others.slice(0, 50).map(other => el('li', {}, el('a', { href: '#' + other.id }, el('bdi', {}, placeName(other) + ': ' + other.path + (other.member ? ' !/ ' + other.member : '')))));
    const more = others.length > 50 ? el('p', { class: 'cap' }, '50 of ' + number(others.length) + ' other places are listed; search for the digest to see all.') : null;
    return el('div', {}, el('h5', {}, 'The same content elsewhere'), el('ul', {}, ...items), more);
  }

  function openHit(hit) {
    const c = hit.c;
    const verdict = data.verdicts[c.verdict];
    const printed = printedHit(hit.id);
    opened = hit;
    openedPrinted = printed;
    const times = ['Created', 'Modified', 'Metadata changed', 'Accessed'];
    const grounds = c.grounds.length ? el('ul', {}, ...c.grounds.map(text => el('li', {}, el('bdi', {}, text)))) : null;
    const matchTable = printed && printed.querySelector('.matches');
    const hand = printed ? printed.querySelector('[id="' + hit.id + '"] .hand').cloneNode(true) : el('p', { class: 'note' }, 'The commands to check this hit by hand are printed for the first ' + number(data.static) + ' hits.');
    panel.replaceChildren(
      el('div', { class: 'bar' }, el('a', { class: 'anchor', href: '#' + hit.id }, hit.id), el('button', { type: 'button', onclick: closeHit, 'aria-label': 'Close this hit (Escape)' }, '✕')),
      el('p', { class: 'chain' }, el('bdi', {}, data.evidence[hit.evidence]), ' › ' + (hit.volume ? 'volume ' + hit.volume + ' ' : '') + '› ', el('bdi', { class: 'path' }, hit.path),
        ...(hit.member ? hit.member.split('!/').flatMap(step => [el('span', { class: 'step' }, ' !/ '), el('bdi', { class: 'path' }, step)]) : [])),
      el('div', { class: 'assessment ' + verdict.id }, el('h5', {}, 'Assessment (interpretation)'), el('p', {}, el('strong', {}, verdict.mark + ' ' + verdict.title + '. '), c.reason), pairs([['Scenario', c.scenario], ['Profile', c.profile]]), grounds),
      noteForm(hit),
      ...(c.indicators.length ? [el('h5', {}, 'What the text would do (read by program)'), pairs(c.indicators.map(([name, value]) => [data.indicators[name] || name, value]))] : []),
      el('h5', {}, 'Text around the first match'), excerpt(hit),
      ...(matchTable ? [el('h5', {}, 'Matches'), matchTable.cloneNode(true)] : []),
      el('h5', {}, 'Recorded facts'),
      pairs([['State', hit.state + (hit.flags & 1 ? ', named stream' : '') + (hit.flags & 2 ? ', its metadata belongs to another file now' : '')], ['Metadata address', hit.meta],
        ['First match in the content', offset(hit.first)], ['First match in the evidence', offset(hit.image)], ['Rule', c.rule], ['Strings', c.strings], ['Matches', number(c.count)], ['View', c.view],
        ['Size', number(c.size) + ' bytes'], ['SHA-256', c.sha256], ...times.map((label, i) => [label, timeText(hit.times[i])]), ...(hit.nameTimes ? times.map((label, i) => [label + ' ($FILE_NAME)', timeText(hit.nameTimes[i])]) : []),
        ['Timestomped', hit.isStomped ? 'yes: the two records of its times contradict each other' : ''], ...(hit.memberTimes ? times.map((label, i) => ['Member ' + label.toLowerCase(), timeText(hit.memberTimes[i])]) : [])]),
      samePlaces(hit) || '', hand);
    panel.hidden = false;
    panel.scrollTop = 0;
    if (location.hash !== '#' + hit.id) history.replaceState(null, '', '#' + hit.id);
  }

  function closeHit() {
    if (!opened) return;
    opened = null;
    panel.hidden = true;
    history.replaceState(null, '', '#hits');
    list.focus({ preventScroll: true });
  }

  function follow() {
    const name = location.hash.slice(1);
    const hit = byId.get(name);
    const verdict = data.verdicts.findIndex(item => item.id === name);
    if (hit) openHit(hit);
    else if (verdict >= 0) {
      verdictsOn.clear();
      verdictsOn.add(verdict);
      paintChips();
      apply();
      explorer.scrollIntoView();
    }
  }

  /* ---- keys ---- */
  const help = el('p', { class: 'note' }, 'Keys: / search · ↓ ↑ or j k choose · Enter open · Esc close · g group by content · Home End first and last');
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
    else if (event.key === 'Enter' && (event.target === list || event.target === document.body) && shown[selected]) openHit(shown[selected].hit);
  });

  function step(event, index) {
    select(index);
    if (opened && shown[selected]) openHit(shown[selected].hit);
    event.preventDefault();
  }

  search.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(apply, 120); searchTexts(); });
  list.addEventListener('scroll', () => requestAnimationFrame(draw), { passive: true });
  window.addEventListener('resize', () => { drawn = ''; draw(); });
  window.addEventListener('hashchange', follow);
  for (const [select, least] of [[scenario, 1], [rule, 2], [place, 2], [view, 2], [state, 2]]) select.hidden = select.options.length - 1 < least;

  explorer.append(
    el('div', { class: 'tools' },
      el('label', { class: 'find', for: 'find' }, 'Search ', search),
      el('div', { class: 'chips', role: 'group', 'aria-label': 'Verdicts' }, ...chips),
      el('div', { class: 'selects' }, scenario, state, rule, place, view, tag, el('span', { class: 'range' }, 'Modified ', from, ' – ', to),
        order, el('label', { for: 'grouped' }, grouped, ' one row for each content'), el('button', { type: 'button', onclick: clear }, 'Clear filters')),
      el('div', { class: 'selects' }, count, saveButton, el('button', { type: 'button', onclick: () => fileInput.click() }, 'Read notes'), fileInput, themeButton)),
    list, help);
  document.body.append(panel);
  explorer.hidden = false;
  apply();
  follow();
  performance.mark('list-ready');
})().catch(problem => {
  window.failed(); /* the printed list stands for it */
  throw problem;
});
