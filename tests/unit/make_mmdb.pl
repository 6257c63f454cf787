#!/usr/bin/perl
# Makes a small MaxMind DB file for test_geo: make_mmdb.pl KIND FILE
use strict;
use warnings;
use utf8;
use MaxMind::DB::Writer::Tree;

my %type_of = (
    autonomous_system_number       => 'uint32',
    autonomous_system_organization => 'utf8_string',
    city                           => 'map',
    country                        => 'map',
    country_code                   => 'utf8_string',
    en                             => 'utf8_string',
    de                             => 'utf8_string',
    iso_code                       => 'utf8_string',
    names                          => 'map',
);

sub country { return { country => { iso_code => $_[0] } } }
sub city    { return { city => { names => { en => $_[0], de => 'falsch' } }, @_[ 1 .. $#_ ] } }

sub asn {
    my ($number, $name) = @_;
    return {
        (defined $number ? (autonomous_system_number       => $number) : ()),
        (defined $name   ? (autonomous_system_organization => $name)   : ()),
    };
}

# Each kind: the version of IP, types that differ, and the record of each network.
my %kinds = (
    country => [ 6, {}, {
        '192.0.2.0/25'   => country('NL'),
        '192.0.2.128/25' => country('DE'),
        '2001:db8::/32'  => country('FR'),
    } ],
    loopback      => [ 6, {}, { '127.0.0.0/8' => city('Hier', country => { iso_code => 'DE' }) } ],
    other_country => [ 6, {}, { '192.0.2.0/24' => country('BE') } ],
    country4      => [ 4, {}, { '192.0.2.0/24' => country('NL') } ],
    flat          => [ 6, { city => 'utf8_string' }, {
        '192.0.2.0/24' => { country_code => 'CH', city => 'Bern' },
    } ],
    city => [ 6, {}, {
        '192.0.2.0/24'    => city('Amsterdam', country => { iso_code => 'NL' }),
        '198.51.100.0/24' => city('Zürich'),
        '203.0.113.0/24'  => { country => { iso_code => 'SE' } },
    } ],
    asn => [ 6, {}, {
        '192.0.2.0/24'    => asn(64500,      'Example Networks'),
        '198.51.100.0/24' => asn(4294967295, 'Largest'),
        '203.0.113.0/24'  => asn(64501),
        '10.0.0.0/8'      => asn(0,     'Not routed'),
        '11.0.0.0/8'      => asn(undef, 'Nameless'),
        '12.0.0.0/8'      => asn(64502, 'é' x 200),
    } ],
    odd_country => [ 6, {}, {
        '10.0.0.0/8' => country('NLD'),
        '11.0.0.0/8' => country('N'),
        '12.0.0.0/8' => country('nl'),
        '13.0.0.0/8' => country(''),
        '14.0.0.0/8' => country('é'),
        '15.0.0.0/8' => country('N1'),
    } ],
    odd_country_type => [ 6, { iso_code => 'uint32' }, { '10.0.0.0/8' => country(42) } ],
    odd_city         => [ 6, {}, {
        '10.0.0.0/8' => city('x' x 127),
        '11.0.0.0/8' => city('x' x 128),
        '12.0.0.0/8' => city('x' x 70000),
        '13.0.0.0/8' => city('x' . 'é' x 100),
        '14.0.0.0/8' => city('xx' . '€' x 100),
        '15.0.0.0/8' => city('x' . '😀' x 100),
        '16.0.0.0/8' => city('REPLACE ME'),
        '17.0.0.0/8' => city("with\0nul"),
        '18.0.0.0/8' => city(''),
        '19.0.0.0/8' => { city => {} },
    } ],
    odd_asn_type => [ 6, { autonomous_system_number => 'uint16' }, {
        '10.0.0.0/8' => asn(64500, 'Short'),
    } ],
    odd_asn_text => [ 6, { autonomous_system_number => 'utf8_string' }, {
        '10.0.0.0/8' => asn('AS64500', 'Text'),
    } ],
);

my ($kind, $path) = @ARGV;
my ($version, $types, $networks) = @{ $kinds{$kind} or die "no kind $kind\n" };
my $tree = MaxMind::DB::Writer::Tree->new(
    ip_version               => $version,
    record_size              => 24,
    database_type            => 'Test',
    languages                => ['en'],
    description              => { en => 'Test' },
    map_key_type_callback    => sub { $types->{ $_[0] } // $type_of{ $_[0] } },
    remove_reserved_networks => 0,
);
$tree->insert_network($_, $networks->{$_}) for sort keys %$networks;
open my $file, '>:raw', $path or die "$path: $!\n";
$tree->write_tree($file);
close $file or die "$path: $!\n";
