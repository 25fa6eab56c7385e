"""Check an upload: one pass that says what is wrong with it, and hands on the records that are right.

htslib is no validator: it mends, guesses, warns on stderr or crashes. So our own code reads it first:

    container   what the file is packed in; unpacks it, within bounds, into blocks of whole lines
    header      the ## lines and the #CHROM line
    keys        what the specification reserves, and what a value may look like
    patterns    one pattern that a faultless record line matches, made from what the header promises
    plain       finds the lines that are as nearly all are, which keep to the pattern
    screen      holds all others against it; few are left over, and those are looked at one by one
    explain     what exactly is wrong with one line
    build       which genome the file was made on
    report      what was found, for the page, the API and the log
    upload      the pass itself
"""
