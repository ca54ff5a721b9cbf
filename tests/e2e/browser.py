# SPDX-License-Identifier: Apache-2.0
"""browser.py: a page in headless Chromium, driven through its own pipe (Chrome DevTools Protocol), with
nothing but Python's standard library. It is cut off from every network."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
             '--disable-component-update', '--disable-sync', '--hide-scrollbars', '--remote-debugging-pipe',
             '--host-resolver-rules=MAP * ~NOTFOUND']


class Page:
    def __init__(self, width=1440, height=900, script=True, dark=False):
        self.profile = tempfile.mkdtemp()
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()

        def place():  # the browser reads from 3 and writes to 4
            a, b = os.dup(to_read), os.dup(from_write)
            os.dup2(a, 3)
            os.dup2(b, 4)
        program = shutil.which('chromium') or shutil.which('chromium-browser')
        self.process = subprocess.Popen([program, *ARGUMENTS, f'--user-data-dir={self.profile}', 'about:blank'],
                                        preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.out, self.inp = to_write, from_read
        self.buffer, self.number, self.session = b'', 0, None
        self.console, self.requests, self.loaded = [], [], False
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self.session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Network', 'Log'):
            self.call(domain + '.enable')
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call('Emulation.setScriptExecutionDisabled', value=not script)
        self.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])

    def note(self, message):
        method, values = message.get('method'), message.get('params', {})
        if method == 'Runtime.consoleAPICalled':
            self.console.append(str(values['args']))
        elif method == 'Runtime.exceptionThrown':
            self.console.append(str(values['exceptionDetails']))
        elif method == 'Log.entryAdded':
            self.console.append(values['entry']['text'])
        elif method == 'Network.requestWillBeSent':
            self.requests.append(values['request']['url'])
        elif method == 'Page.loadEventFired':
            self.loaded = True

    def read(self):
        while b'\0' not in self.buffer:
            data = os.read(self.inp, 1 << 20)
            if not data:
                raise EOFError('the browser is gone')
            self.buffer += data
        text, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        message = {'id': self.number, 'method': method, 'params': params}
        if self.session:
            message['sessionId'] = self.session
        os.write(self.out, json.dumps(message).encode() + b'\0')
        while True:
            answer = self.read()
            if answer.get('id') == self.number:
                if 'error' in answer:
                    raise RuntimeError(f'{method}: {answer["error"]}')
                return answer['result']
            self.note(answer)

    def before(self, script):
        """Runs script in every page from now on, before anything of the page."""
        self.call('Page.addScriptToEvaluateOnNewDocument', source=script)

    def open(self, url):
        """Seconds until the page is loaded, its script has run and a frame is drawn."""
        self.loaded = False
        began = time.monotonic()
        self.call('Page.navigate', url=url)
        while not self.loaded:
            self.note(self.read())
        if self.do('1 + 1') == 2:
            self.do('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
        return time.monotonic() - began

    def do(self, expression):
        result = self.call('Runtime.evaluate', expression=expression, awaitPromise=True, returnByValue=True)
        if 'exceptionDetails' in result:
            raise RuntimeError(str(result['exceptionDetails']))
        return result['result'].get('value')

    def key(self, key, text=''):
        for kind in ('keyDown', 'keyUp'):
            self.call('Input.dispatchKeyEvent', type=kind, key=key, **({'text': text} if text and kind == 'keyDown' else {}))

    def picture(self, name):
        with open(name, 'wb') as file:
            file.write(base64.b64decode(self.call('Page.captureScreenshot', format='png')['data']))

    def paper(self, name):
        with open(name, 'wb') as file:
            file.write(base64.b64decode(self.call('Page.printToPDF', preferCSSPageSize=True, printBackground=True)['data']))

    def close(self):
        try:
            self.session = None
            self.call('Browser.close')
        except (EOFError, OSError):
            pass
        self.process.wait(20)
        shutil.rmtree(self.profile, ignore_errors=True)
