"""Pixels: everything that opens, checks, changes or draws a picture. Imports Pillow and ``bot.rules``, nothing else.

Every function here is plain and works on bytes; ``offload`` runs one beside the event loop, in the lane of its server.
Nothing decodes a picture before its header has told how many pixels that would be.

    headers     what is it, how large (from the first bytes)       containers  its parts, cut down to the pixels
    pixels      decode, turn, colours, scale, encode               svg         the same questions for SVG
    inspect     is what the service sent whole, or kept, or none   whole       that, without drawing it
    uploads     what a member sent, made ready
    masks       where to edit                                      edits       all uploads of one command at once
    arrivals    how many are read, checked and kept at once
    fit         under Discord's limits                             sheets      thumbnails and contact sheets
"""
