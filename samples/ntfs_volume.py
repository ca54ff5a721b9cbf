# SPDX-License-Identifier: Apache-2.0
"""Writes into an NTFS volume in a file without mounting it, through the library of ntfs-3g: its own
tools (ntfscp) can neither make a directory nor delete a file."""
import ctypes
import os

S_IFREG, S_IFDIR = 0o100000, 0o040000
AT_DATA = 0x80
EPOCH_1601 = 116444736000000000  # 100 ns between 1601 and 1970


class NtfsVolume:
    """with NtfsVolume('file') as volume: ... Paths are absolute, '/'-separated."""

    def __init__(self, path):
        self.lib = ctypes.CDLL('libntfs-3g.so.89', use_errno=True)
        for name in ('ntfs_mount', 'ntfs_pathname_to_inode', 'ntfs_create', 'ntfs_attr_open'):
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.lib.ntfs_attr_pwrite.restype = ctypes.c_int64
        self.volume = self._must(self.lib.ntfs_mount(os.fsencode(path), ctypes.c_ulong(0)), path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.lib.ntfs_umount(ctypes.c_void_p(self.volume), 0) != 0:
            raise OSError(ctypes.get_errno(), 'ntfs_umount')

    @staticmethod
    def _must(pointer, what):
        if not pointer:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), what)
        return pointer

    @staticmethod
    def _utf16(name):
        data = name.encode('utf-16-le')
        return ctypes.create_string_buffer(data, len(data) + 2), len(data) // 2

    def _find(self, path):
        return self.lib.ntfs_pathname_to_inode(ctypes.c_void_p(self.volume), None, os.fsencode(path))

    def _close(self, inode, what):
        if self.lib.ntfs_inode_close(ctypes.c_void_p(inode)) != 0:
            raise OSError(ctypes.get_errno(), 'ntfs_inode_close', what)

    def _create(self, path, kind):
        parent, name = os.path.split(path)
        directory = self._must(self._find(parent), parent)
        text, length = self._utf16(name)
        inode = self._must(self.lib.ntfs_create(ctypes.c_void_p(directory), ctypes.c_uint32(0), text,
                                                ctypes.c_uint8(length), ctypes.c_uint32(kind)), path)
        self._close(inode, path)
        self._close(directory, parent)

    def make_directories(self, path):
        """path and what is missing above it."""
        found = self._find(path)
        if found:
            self._close(found, path)
            return
        self.make_directories(os.path.dirname(path))
        self._create(path, S_IFDIR)

    def write(self, path, data, stream=''):
        """The whole content of a file, or of a named stream of one; made where it is missing."""
        found = self._find(path)
        if found:
            self._close(found, path)
        else:
            self.make_directories(os.path.dirname(path))
            self._create(path, S_IFREG)
        inode = self._must(self._find(path), path)
        text, length = self._utf16(stream)
        if stream and self.lib.ntfs_attr_add(ctypes.c_void_p(inode), AT_DATA, text,
                                             ctypes.c_uint8(length), None, ctypes.c_int64(0)) != 0:
            raise OSError(ctypes.get_errno(), 'ntfs_attr_add', f'{path}:{stream}')
        attribute = self._must(self.lib.ntfs_attr_open(ctypes.c_void_p(inode), AT_DATA, text if stream else None,
                                                       ctypes.c_uint32(length)), path)
        if data and self.lib.ntfs_attr_pwrite(ctypes.c_void_p(attribute), ctypes.c_int64(0),
                                              ctypes.c_int64(len(data)), data) != len(data):
            raise OSError(ctypes.get_errno(), 'ntfs_attr_pwrite', path)
        self.lib.ntfs_attr_close(ctypes.c_void_p(attribute))
        self._close(inode, path)

    def set_times(self, path, created, modified, accessed):
        """Seconds since 1970."""
        inode = self._must(self._find(path), path)
        times = (ctypes.c_uint64 * 3)(*(int(t) * 10_000_000 + EPOCH_1601 for t in (created, modified, accessed)))
        if self.lib.ntfs_inode_set_times(ctypes.c_void_p(inode), times, ctypes.sizeof(times), 0) != 0:
            raise OSError(ctypes.get_errno(), 'ntfs_inode_set_times', path)
        self._close(inode, path)

    def delete(self, path):
        parent, name = os.path.split(path)
        inode, directory = self._must(self._find(path), path), self._must(self._find(parent), parent)
        text, length = self._utf16(name)
        # ntfs_delete closes both.
        if self.lib.ntfs_delete(ctypes.c_void_p(self.volume), None, ctypes.c_void_p(inode),
                                ctypes.c_void_p(directory), text, ctypes.c_uint8(length)) != 0:
            raise OSError(ctypes.get_errno(), 'ntfs_delete', path)
